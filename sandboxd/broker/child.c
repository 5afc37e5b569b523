#include "sandboxd/broker/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/sandbox/namespaces.h"

void child_signal(struct child *child, int signal)
{
    if (child->pid == 0)
        return;
    child->ending |= signal == SIGKILL;
    namespaces_signal(child->pid_fd, signal, NULL);
}

void child_reap_strangers(struct broker *broker)
{
    /* One of them may be an interpreter whose JOINED has not been read yet. */
    if (zygote_any_owes(broker))
        return;
    for (;;) {
        siginfo_t info = {0};
        struct child *child;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || info.si_pid == 0)
            return;
        /* The turn of one that is known comes by its pidfd, and then ours again. */
        LIST_FOREACH (child, &broker->children, siblings) {
            if (child->pid == info.si_pid)
                return;
        }
        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG | __WALL);
    }
}

/* Watches end first: a child on its way to an exec may keep a closed descriptor alive in the epoll
 * set. */
static int reap(struct child *child)
{
    int status = 0;
    loop_unwatch(child->broker->loop, &child->channel_watch);
    loop_unwatch(child->broker->loop, &child->exit_watch);
    namespaces_reap(child->pid_fd, true, &status, NULL);
    close_fd(&child->pid_fd);
    close_fd(&child->channel_fd);
    LIST_REMOVE(child, siblings);
    child->pid = 0;
    return status;
}

/* False when there is nothing more to read. */
static bool receive(struct child *child)
{
    struct channel_message *message = &child->broker->message;
    struct error err = {0};
    enum channel_outcome outcome =
        channel_receive(child->channel_fd, child->descriptors_max, message, &err);
    if (outcome == CHANNEL_MESSAGE && child->on_frame)
        child->on_frame(child->self);
    channel_release(message);
    if (outcome == CHANNEL_BROKEN) {
        log_error("child.broken", "pid=%d message=\"%s\"", (int)child->pid, err.message);
        child_signal(child, SIGKILL);
    }
    return outcome == CHANNEL_MESSAGE;
}

static void on_channel(void *self, uint32_t events)
{
    (void)events;
    struct child *child = self;
    /* Its exit will be seen too; until then there is nothing to read. */
    if (!receive(child))
        loop_unwatch(child->broker->loop, &child->channel_watch);
}

static void on_exit_event(void *self, uint32_t events)
{
    (void)events;
    struct child *child = self;
    struct broker *broker = child->broker;
    child->ending = true;
    /* What it has said is still to be heard. A fork of it that is on its way may hold the other end
     * for a moment longer. */
    if (child->channel_watch.active) {
        channel_set_nonblocking(child->channel_fd, NULL);
        while (receive(child))
            ;
    }
    int status = reap(child);
    child->on_exit(child->self, status);
    child_reap_strangers(broker);
}

/* Takes both descriptors. One whose end nobody would see is ended here. */
static int hold(struct broker *broker, struct child *child, pid_t pid, int pid_fd, int channel_fd,
                struct error *err)
{
    child->broker = broker;
    child->pid = pid;
    child->ending = false;
    child->pid_fd = pid_fd;
    child->channel_fd = channel_fd;
    LIST_INSERT_HEAD(&broker->children, child, siblings);
    if (loop_watch(broker->loop, &child->exit_watch, pid_fd, EPOLLIN, on_exit_event, child, err) ==
            0 &&
        (channel_fd < 0 || loop_watch(broker->loop, &child->channel_watch, channel_fd, EPOLLIN,
                                      on_channel, child, err) == 0))
        return 0;
    child_signal(child, SIGKILL);
    reap(child);
    return -1;
}

int child_adopt(struct broker *broker, struct child *child, pid_t pid, int pid_fd,
                struct error *err)
{
    return hold(broker, child, pid, pid_fd, -1, err);
}

int child_start(struct broker *broker, struct child *child, const struct spawn *program,
                struct error *err)
{
    int pair[2], pid_fd;
    if (channel_pair(pair, err) < 0)
        return -1;
    AUTO_CLOSE int own_fd = pair[0];
    AUTO_CLOSE int peer_fd = pair[1];
    if (channel_limit_sends(own_fd, CHILD_SEND_MS, err) < 0)
        return -1;
    pid_t pid = spawn_start(program, peer_fd, &pid_fd, err);
    return pid < 0 ? -1 : hold(broker, child, pid, pid_fd, TAKE_FD(own_fd), err);
}
