#include "sandboxd/session/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/knob.h"
#include "base/core/without.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/control/message.h"
#include "sandboxd/files/files.h"
#include "sandboxd/sandbox/lockdown.h"
#include "sandboxd/sandbox/namespaces.h"
#include "sandboxd/sandbox/network.h"
#include "sandboxd/sandbox/profile.h"

enum { INIT_KEPT_MAX = 4, INIT_SEND_MS = 10000 };

struct init {
    int signal_fd;
    int data_fd; /* the data directory */
    struct seccomp_filter filter, helper_filter;
    pid_t helper; /* the file helper at work, or 0 */
    uint64_t helper_request;
    int network_fd;              /* the other end of eth0, for the broker; or -1 */
    int kept_fds[INIT_KEPT_MAX]; /* the front's ends, for a later front */
};

static struct channel_message message;

/* A session makes no namespaces: its own user namespace may hold none, whatever else fails. */
static int forbid_user_namespaces(struct error *err)
{
    return knob_write(AT_FDCWD, "/proc/sys/user/max_user_namespaces", "0", err);
}

static int build(struct init *init, const struct root_message *root, const struct profile *profile,
                 struct error *err)
{
    struct mounts_plan plan = {
        .choice = &profile->mounts,
        .data_bytes = root->data_bytes,
        .data_inodes = root->data_inodes,
        .names = root->names,
        .own_procfs = true,
    };
    /* Here, after the cgroup was joined: what is above it disappears from /proc/self/cgroup. */
    if (namespaces_of_a_session() & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
        return error_from_errno(err, "unshare the cgroup namespace");
    /* The device is made before the file that makes devices disappears. */
    if ((LAYER("user-namespace-limit") && forbid_user_namespaces(err) < 0) ||
        (LAYER("net-namespace") && profile->loopback && network_loopback_up(err) < 0) ||
        (root->network == NETWORK_EGRESS && network_attach(&init->network_fd, err) < 0) ||
        mounts_enter(&plan, err) < 0)
        return -1;
    if (namespaces_of_a_session() & CLONE_NEWUTS && sethostname("session", strlen("session")) < 0)
        return error_from_errno(err, "sethostname");

    init->data_fd = open(MOUNTS_DATA_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (init->data_fd < 0)
        return error_from_errno(err, "open " MOUNTS_DATA_PATH);
    setsid();
    umask(022);
    return lockdown_enter_shell(&init->filter, err);
}

static int set_up(struct init *init, struct error *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return error_from_errno(err, "PR_SET_PDEATHSIG");
    if (channel_receive(INIT_COMMAND_FD, 3, &message, err) != CHANNEL_MESSAGE ||
        message.frame.type != FRAME_SHELL_SETUP)
        return error_set(err, ERROR_SYSTEM, "no set-up message");

    struct root_message root;
    struct profile profile;
    AUTO_CLOSE int filter_fd = channel_take_fd(&message, 0);
    AUTO_CLOSE int profile_fd = channel_take_fd(&message, 1);
    AUTO_CLOSE int own_filter_fd = channel_take_fd(&message, 2);
    if (message_read(&message.frame, &root, sizeof root, err) < 0 ||
        seccomp_filter_read(filter_fd, &init->helper_filter, err) < 0 ||
        seccomp_filter_read(own_filter_fd, &init->filter, err) < 0 ||
        profile_read(profile_fd, &profile, NULL, err) < 0)
        return -1;
    return build(init, &root, &profile, err);
}

static int open_signals(struct init *init, struct error *err)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    /* Ends only: a guest could stop and continue its processes all day. */
    static const struct sigaction ends_only = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &ends_only, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    init->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return init->signal_fd < 0 ? error_from_errno(err, "signalfd") : 0;
}

/* To the front, for a request that no helper has answered. */
static void answer_error(uint64_t request, int error_number, const char *text)
{
    channel_send_result(INIT_FILE_FD, FRAME_FILE_DONE, request, error_number, text, -1, NULL);
}

/* Orphans of the guest end up here. A helper that died without an answer gets one. */
static void reap(struct init *init)
{
    struct signalfd_siginfo info;
    while (read(init->signal_fd, &info, sizeof info) > 0) {
        /* only the wake-up matters: signals of one kind are merged */
    }
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid != init->helper)
            continue;
        init->helper = 0;
        if (status != 0)
            answer_error(init->helper_request, EIO, "the file helper died");
    }
}

static void drop_kept(struct init *init)
{
    for (int i = 0; i < INIT_KEPT_MAX; i++)
        close_fd(&init->kept_fds[i]);
}

/* The first is the file channel: a new interpreter brings all but that. */
static void keep(struct init *init)
{
    int first = INIT_KEPT_MAX - message.fd_count;
    for (int i = 0; i < message.fd_count; i++) {
        close_fd(&init->kept_fds[first + i]);
        init->kept_fds[first + i] = channel_take_fd(&message, i);
    }
}

/* False when the broker is gone or does not make sense. */
static bool obey(struct init *init)
{
    struct error err = {0};
    if (channel_receive(INIT_COMMAND_FD, INIT_KEPT_MAX, &message, &err) != CHANNEL_MESSAGE)
        return false;

    switch (message.frame.type) {
    case FRAME_SHELL_KEEP:
        keep(init);
        return true;
    case FRAME_SHELL_RETURN:
        return channel_send(INIT_COMMAND_FD, FRAME_SHELL_KEPT, message.frame.tag, NULL, 0,
                            init->kept_fds, INIT_KEPT_MAX, &err) == 0;
    case FRAME_SHELL_KILL:
        /* Everything in the pid namespace but this process. */
        kill(-1, SIGKILL);
        return channel_send(INIT_COMMAND_FD, FRAME_SHELL_READY, message.frame.tag, NULL, 0, NULL, 0,
                            &err) == 0;
    default:
        return false;
    }
}

/* Here trust ends: what the request holds is looked at behind a lock-down that has been checked, by
 * code that is no part of this program's own: sandboxd/files. */
static _Noreturn void become_helper(struct init *init)
{
    struct error err = {0};
    close(INIT_COMMAND_FD);
    close(init->signal_fd);
    drop_kept(init);
    if (lockdown_enter_file_helper(&init->helper_filter, &err) == 0)
        files_serve(init->data_fd, INIT_FILE_FD, &message);
    answer_error(message.frame.tag, err.number ? err.number : EPERM, err.message);
    _exit(0);
}

static void start_helper(struct init *init)
{
    pid_t pid = fork();
    if (pid == 0)
        become_helper(init);
    if (pid < 0) {
        answer_error(message.frame.tag, errno, "fork the file helper");
        return;
    }
    init->helper = pid;
    init->helper_request = message.frame.tag;
}

/* One request at a time: the next is read when the helper has ended. False when the channel is no
 * use any more. */
static bool serve_front(struct init *init)
{
    enum channel_outcome outcome = channel_receive(INIT_FILE_FD, 1, &message, NULL);
    if (outcome == CHANNEL_MESSAGE && message.frame.type == FRAME_FILE_REQUEST)
        start_helper(init);
    channel_release(&message);
    return outcome == CHANNEL_MESSAGE || outcome == CHANNEL_EMPTY;
}

static int serve(struct init *init)
{
    enum { COMMAND, SIGNALS, FILE_REQUESTS, SOURCES };
    struct pollfd polls[SOURCES] = {
        [COMMAND] = {.fd = INIT_COMMAND_FD, .events = POLLIN},
        [SIGNALS] = {.fd = init->signal_fd, .events = POLLIN},
    };
    bool front_open = true;
    for (;;) {
        polls[FILE_REQUESTS] = (struct pollfd){
            .fd = front_open && init->helper == 0 ? INIT_FILE_FD : -1,
            .events = POLLIN,
        };
        if (poll(polls, SOURCES, -1) < 0 && errno != EINTR)
            return -1;
        if (polls[SIGNALS].revents)
            reap(init);
        if (polls[COMMAND].revents && !obey(init))
            return 0;
        if (polls[FILE_REQUESTS].revents && init->helper == 0)
            front_open = serve_front(init);
    }
}

int init_run(struct error *err)
{
    static struct init init = {
        .signal_fd = -1,
        .data_fd = -1,
        .kept_fds = {-1, -1, -1, -1},
        .network_fd = -1,
    };
    if (open_signals(&init, err) < 0 || set_up(&init, err) < 0) {
        channel_send_result(INIT_COMMAND_FD, FRAME_SHELL_FAILED, 0, err->number, err->message, -1,
                            NULL);
        return -1;
    }
    /* A front that does not read must not keep the broker waiting for this process. */
    if (channel_limit_sends(INIT_FILE_FD, INIT_SEND_MS, err) < 0 ||
        channel_send(INIT_COMMAND_FD, FRAME_SHELL_READY, 0, NULL, 0, &init.network_fd,
                     init.network_fd >= 0 ? 1 : 0, err) < 0)
        return -1;
    close_fd(&init.network_fd);
    return serve(&init);
}
