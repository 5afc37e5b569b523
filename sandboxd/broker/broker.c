/* The front, signals, and the end. */
#include "sandboxd/broker/broker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/broker/spawn.h"
#include "sandboxd/sandbox/namespaces.h"

enum {
    FRONT_RESTART_MS = 100,
    STOP_FRONT_MS = 5000, /* what running answers get before the front is killed */
};

void peer_close(struct broker *broker, struct peer *peer)
{
    loop_unwatch(broker->loop, &peer->channel_watch);
    loop_unwatch(broker->loop, &peer->exit_watch);
    close_fd(&peer->channel_fd);
    close_fd(&peer->pid_fd);
    peer->ready = false;
}

int peer_start(struct broker *broker, struct peer *peer, int executable_fd,
               const char *const *arguments, const int *more_fds, int more_count, struct error *err)
{
    int pair[2];
    if (channel_pair(pair, err) < 0)
        return -1;
    peer->channel_fd = pair[0];
    AUTO_CLOSE int peer_fd = pair[1];
    int fds[SPAWN_FDS_MAX] = {peer_fd};
    for (int i = 0; i < more_count; i++)
        fds[1 + i] = more_fds[i];

    struct spawn_program program = {
        .executable_fd = executable_fd,
        .arguments = arguments,
        .fds = fds,
        .fd_count = 1 + more_count,
    };
    if (channel_limit_sends(peer->channel_fd, BROKER_SEND_MS, err) < 0)
        return -1;
    peer->pid = spawn_program(&program, &peer->pid_fd, err);
    if (peer->pid < 0)
        return -1;
    if (loop_watch(broker->loop, &peer->channel_watch, peer->channel_fd, EPOLLIN, peer->on_frame,
                   peer->self, err) == 0 &&
        loop_watch(broker->loop, &peer->exit_watch, peer->pid_fd, EPOLLIN, peer->on_exit,
                   peer->self, err) == 0)
        return 0;
    broker_kill(broker, &peer->pid_fd);
    return -1;
}

static int start_front(struct broker *broker, struct error *err)
{
    const struct broker_options *options = &broker->options;
    /* An earlier front has read the files; sockets and directories cannot be rewound and need not.
     */
    for (int i = 0; i < options->front_fd_count; i++)
        lseek(options->front_fds[i], 0, SEEK_SET);
    broker->greeted = false;
    if (peer_start(broker, &broker->front, options->front_fd, options->front_arguments,
                   options->front_fds, options->front_fd_count, err) < 0) {
        peer_close(broker, &broker->front);
        return error_add_context(err, "start the front");
    }
    session_offer_all(broker);
    broker_session_settled(broker);
    return 0;
}

void broker_tell_front(struct broker *broker, enum frame_type type, uint64_t number,
                       const void *payload, size_t length, const int *fds, int fd_count)
{
    if (broker->front.channel_fd < 0)
        return;
    struct error err = {0};
    if (channel_send(broker->front.channel_fd, type, number, payload, length, fds, fd_count, &err) <
            0 &&
        broker->front.pid_fd >= 0) {
        /* One that does not read holds everybody up for BROKER_SEND_MS, once. */
        namespaces_signal(broker->front.pid_fd, SIGKILL, NULL);
    }
}

/* Children that are nobody's: interpreters whose zygote died before it could tell, the janitor.
 * Unreaped, they would keep a session's PID 1 from ending. */
void broker_reap_strangers(struct broker *broker)
{
    /* One of them may be an interpreter whose JOINED has not been read yet. */
    if (broker->joins_owed > 0)
        return;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || info.si_pid == 0)
            return;
        /* The turn of one that is known comes by its pidfd, and then ours again. */
        if ((broker->front.pid_fd >= 0 && broker->front.pid == info.si_pid) ||
            zygote_has_process(broker, info.si_pid) || session_has_process(broker, info.si_pid))
            return;
        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG | __WALL);
    }
}

int broker_reap(struct broker *broker, int *pid_fd)
{
    int status = 0;
    namespaces_reap(*pid_fd, true, &status, NULL);
    close_fd(pid_fd);
    broker_reap_strangers(broker);
    return status;
}

void broker_kill(struct broker *broker, int *pid_fd)
{
    namespaces_signal(*pid_fd, SIGKILL, NULL);
    broker_reap(broker, pid_fd);
}

void broker_tell_image(struct broker *broker)
{
    if (broker->greeted && broker->image_length > 0)
        broker_tell_front(broker, FRAME_IMAGE, 0, broker->image, broker->image_length, NULL, 0);
}

void broker_session_settled(struct broker *broker)
{
    if (!broker->greeted && broker->front.channel_fd >= 0 && broker->collecting == 0) {
        broker->greeted = true;
        broker_tell_front(broker, FRAME_HELLO, broker->next_number, NULL, 0, NULL, 0);
        broker_tell_image(broker);
    }
    if (broker->stopping && broker->front.pid_fd < 0 && broker->session_count == 0) {
        zygote_end_all(broker);
        if (!broker->zygotes)
            loop_stop(broker->loop);
    }
}

static void on_front_frame(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    struct error err = {0};
    switch (channel_receive(broker->front.channel_fd, 0, &broker->message, &err)) {
    case CHANNEL_MESSAGE:
        broker->front.ready = true;
        session_handle_front(broker, &broker->message);
        return;
    case CHANNEL_EMPTY:
        return;
    case CHANNEL_BROKEN:
        log_error("front.broken", "message=\"%s\"", err.message);
        namespaces_signal(broker->front.pid_fd, SIGKILL, NULL);
        break;
    case CHANNEL_CLOSED:
        break;
    }
    loop_unwatch(broker->loop, &broker->front.channel_watch);
}

static void on_restart_time(void *self)
{
    struct broker *broker = self;
    struct error err = {0};
    if (start_front(broker, &err) < 0) {
        log_error("front.failed", "message=\"%s\"", err.message);
        broker_stop(broker, 1);
    }
}

bool broker_count_death(struct broker *broker, struct deaths *deaths)
{
    int64_t now_ms = loop_now_ms(broker->loop);
    if (now_ms - deaths->last_ms > BROKER_STEADY_MS)
        deaths->in_a_row = 0;
    deaths->last_ms = now_ms;
    return ++deaths->in_a_row > BROKER_DEATHS_MAX;
}

static void on_front_exit(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    loop_unwatch(broker->loop, &broker->front.exit_watch);
    int status = broker_reap(broker, &broker->front.pid_fd);
    /* One that refuses its configuration ends by itself, before it has said anything. */
    bool had_started = broker->front.ready || WIFSIGNALED(status);
    peer_close(broker, &broker->front);
    if (broker->stopping) {
        session_end_all(broker);
        broker_session_settled(broker);
        return;
    }
    bool too_many = broker_count_death(broker, &broker->front_deaths);
    log_error("front.ended", "status=%d deaths=%u", status, broker->front_deaths.in_a_row);
    /* Starting it again will not help. */
    if (!had_started || too_many)
        broker_stop(broker, WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
    else
        loop_start_timer(broker->loop, &broker->restart_timer,
                         loop_now_ms(broker->loop) + FRONT_RESTART_MS, on_restart_time, broker);
}

static void on_stop_time(void *self)
{
    struct broker *broker = self;
    if (broker->front.pid_fd >= 0)
        namespaces_signal(broker->front.pid_fd, SIGKILL, NULL);
}

/* The front first, so that answers in flight get out; then the sessions, then the zygotes. */
void broker_stop(struct broker *broker, int exit_status)
{
    if (broker->stopping)
        return;
    log_info("daemon.stopping", "sessions=%u", broker->session_count);
    broker->stopping = true;
    broker->exit_status = exit_status;
    loop_stop_timer(broker->loop, &broker->restart_timer);
    if (broker->front.pid_fd >= 0) {
        namespaces_signal(broker->front.pid_fd, SIGTERM, NULL);
        loop_start_timer(broker->loop, &broker->stop_timer,
                         loop_now_ms(broker->loop) + STOP_FRONT_MS, on_stop_time, broker);
        return;
    }
    session_end_all(broker);
    broker_session_settled(broker);
}

static void on_signal(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    struct signalfd_siginfo info;
    if (read(broker->signal_watch.fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD)
        broker_reap_strangers(broker);
    else
        broker_stop(broker, 0);
}

static int open_signals(struct broker *broker, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* Ends only: a guest could stop and continue its processes all day. */
    static const struct sigaction ends_only = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &ends_only, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "signalfd");
    return loop_watch(broker->loop, &broker->signal_watch, fd, EPOLLIN, on_signal, broker, err);
}

int broker_run(const struct broker_options *options, struct error *err)
{
    static struct broker broker;
    broker = (struct broker){
        .options = *options,
        .front =
            {
                .pid_fd = -1,
                .channel_fd = -1,
                .on_frame = on_front_frame,
                .on_exit = on_front_exit,
                .self = &broker,
            },
    };
    broker.warming_max = BROKER_WARMING_PER_CORE * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    session_table_start(&broker);
    broker.loop = loop_create(clock_system(), err);
    if (!broker.loop || open_signals(&broker, err) < 0 || start_front(&broker, err) < 0 ||
        zygote_start(&broker, START_FORK, err) < 0 || loop_run(broker.loop, err) < 0)
        return 1;
    loop_destroy(broker.loop);
    free(broker.free_slots);
    return broker.exit_status;
}
