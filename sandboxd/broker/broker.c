/* The broker's own processes: front and zygote, signals, the end. */
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
    PEER_STEADY_MS = 10000, /* after living this long its earlier deaths are forgotten */
    PEER_DEATHS_MAX = 5,
    STOP_FRONT_MS = 5000, /* what running answers get before the front is killed */
};

static void on_front_exit(void *self, uint32_t events);
static void on_zygote_exit(void *self, uint32_t events);
static void on_front_frame(void *self, uint32_t events);
static void on_zygote_frame(void *self, uint32_t events);
static void stop(struct broker *broker, int exit_status);

static void close_peer(struct broker *broker, struct peer *peer)
{
    loop_unwatch(broker->loop, &peer->channel_watch);
    loop_unwatch(broker->loop, &peer->exit_watch);
    close_fd(&peer->channel_fd);
    close_fd(&peer->pid_fd);
    peer->ready = false;
    peer->started = false;
}

/* Starts a program with a channel to us as its descriptor 3 and others after it. */
static int start_peer(struct broker *broker, struct peer *peer, int executable_fd,
                      const char *const *arguments, const int *more_fds, int more_count,
                      void (*on_frame)(void *, uint32_t), void (*on_exit_event)(void *, uint32_t),
                      struct error *err)
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
    if (loop_watch(broker->loop, &peer->channel_watch, peer->channel_fd, EPOLLIN, on_frame, broker,
                   err) < 0 ||
        loop_watch(broker->loop, &peer->exit_watch, peer->pid_fd, EPOLLIN, on_exit_event, broker,
                   err) < 0) {
        loop_unwatch(broker->loop, &peer->exit_watch);
        broker_kill(broker, &peer->pid_fd);
        close_peer(broker, peer);
        return -1;
    }
    return 0;
}

static int start_front(struct broker *broker, struct error *err)
{
    const struct broker_options *options = &broker->options;
    /* An earlier front has read the files; sockets and directories cannot be rewound and need not.
     */
    for (int i = 0; i < options->front_fd_count; i++)
        lseek(options->front_fds[i], 0, SEEK_SET);
    broker->greeted = false;
    broker->front_started_ms = loop_now_ms(broker->loop);
    if (start_peer(broker, &broker->front, options->front_fd, options->front_arguments,
                   options->front_fds, options->front_fd_count, on_front_frame, on_front_exit,
                   err) < 0)
        return error_add_context(err, "start the front");
    session_offer_all(broker);
    broker_session_settled(broker);
    return 0;
}

static int start_zygote(struct broker *broker, struct error *err)
{
    /* What imports may write while they warm up. */
    static const struct root_message root = {.data_bytes = 16 * 1024 * 1024, .data_inodes = 1024};
    const struct broker_options *options = &broker->options;
    broker->zygote_started_ms = loop_now_ms(broker->loop);
    if (start_peer(broker, &broker->zygote, options->worker_fd, options->modules, NULL, 0,
                   on_zygote_frame, on_zygote_exit, err) < 0 ||
        channel_send(broker->zygote.channel_fd, FRAME_ZYGOTE_SETUP, 0, &root, sizeof root,
                     &options->guest_filter_fd, 1, err) < 0)
        return error_add_context(err, "start the zygote");
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

void broker_kill_zygote(struct broker *broker, const char *why)
{
    log_error("zygote.broken", "message=\"%s\"", why);
    broker->zygote.ready = false;
    if (broker->zygote.pid_fd >= 0)
        namespaces_signal(broker->zygote.pid_fd, SIGKILL, NULL);
}

static bool is_peer(const struct peer *peer, pid_t pid)
{
    return peer->pid_fd >= 0 && peer->pid == pid;
}

/* Children that are nobody's: interpreters whose zygote died before it could tell, the janitor.
 * Unreaped, they would keep a session's PID 1 from ending. */
void broker_reap_strangers(struct broker *broker)
{
    /* One of them may be an interpreter whose JOINED has not been read yet. */
    if (broker->joins_asked > 0)
        return;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || info.si_pid == 0)
            return;
        /* The turn of one that is known comes by its pidfd, and then ours again. */
        if (is_peer(&broker->front, info.si_pid) || is_peer(&broker->zygote, info.si_pid) ||
            session_has_process(broker, info.si_pid))
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

static void tell_image(struct broker *broker)
{
    if (broker->greeted && broker->image_length > 0)
        broker_tell_front(broker, FRAME_IMAGE, 0, broker->image, broker->image_length, NULL, 0);
}

void broker_session_settled(struct broker *broker)
{
    if (!broker->greeted && broker->front.channel_fd >= 0 && broker->collecting == 0) {
        broker->greeted = true;
        broker_tell_front(broker, FRAME_HELLO, broker->next_number, NULL, 0, NULL, 0);
        tell_image(broker);
    }
    if (broker->stopping && broker->front.pid_fd < 0 && broker->session_count == 0) {
        if (broker->zygote.pid_fd >= 0)
            namespaces_signal(broker->zygote.pid_fd, SIGKILL, NULL);
        else
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

/* False when there is nothing more to read. */
static bool receive_from_zygote(struct broker *broker)
{
    struct error err = {0};
    switch (channel_receive(broker->zygote.channel_fd, 1, &broker->message, &err)) {
    case CHANNEL_MESSAGE:
        break;
    case CHANNEL_BROKEN:
        broker_kill_zygote(broker, err.message);
        return false;
    default:
        return false;
    }
    if (broker->message.frame.type == FRAME_ZYGOTE_READY) {
        log_info("zygote.ready", "wait_ms=%" PRId64,
                 loop_now_ms(broker->loop) - broker->zygote_started_ms);
        broker->zygote.ready = true;
        broker->zygote.started = true;
        broker->image_length = broker->message.frame.length;
        memcpy(broker->image, broker->message.frame.payload, broker->image_length);
        tell_image(broker);
        session_ask_joins(broker);
    } else {
        session_handle_zygote(broker, &broker->message);
    }
    channel_release(&broker->message);
    return true;
}

static void on_zygote_frame(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    if (!receive_from_zygote(broker))
        loop_unwatch(broker->loop, &broker->zygote.channel_watch);
}

static void on_restart_time(void *self)
{
    struct broker *broker = self;
    struct error err = {0};
    if (start_front(broker, &err) < 0) {
        log_error("front.failed", "message=\"%s\"", err.message);
        stop(broker, 1);
    }
}

static void on_front_exit(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    int64_t now_ms = loop_now_ms(broker->loop);
    loop_unwatch(broker->loop, &broker->front.exit_watch);
    int status = broker_reap(broker, &broker->front.pid_fd);
    /* One that refuses its configuration ends by itself, before it has said anything. */
    bool had_started = broker->front.ready || WIFSIGNALED(status);
    close_peer(broker, &broker->front);
    if (broker->stopping) {
        session_end_all(broker);
        broker_session_settled(broker);
        return;
    }
    if (now_ms - broker->front_started_ms > PEER_STEADY_MS)
        broker->front_deaths = 0;
    broker->front_deaths++;
    log_error("front.ended", "status=%d deaths=%u", status, broker->front_deaths);
    /* Starting it again will not help. */
    if (!had_started || broker->front_deaths > PEER_DEATHS_MAX)
        stop(broker, WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
    else
        loop_start_timer(broker->loop, &broker->restart_timer, now_ms + FRONT_RESTART_MS,
                         on_restart_time, broker);
}

/* One that has never been ready will not be: its imports fail. Later deaths are bounded in number.
 */
static bool may_restart_zygote(struct broker *broker, bool had_started)
{
    if (loop_now_ms(broker->loop) - broker->zygote_started_ms > PEER_STEADY_MS)
        broker->zygote_deaths = 0;
    bool first = broker->zygote_deaths++ == 0;
    return (had_started || !first) && broker->zygote_deaths <= PEER_DEATHS_MAX;
}

static void on_zygote_exit(void *self, uint32_t events)
{
    (void)events;
    struct broker *broker = self;
    broker->zygote.ready = false;
    /* Interpreters that it has made and told of are still to be heard of. A fork of it that is on
     * its way may hold the other end for a moment longer. */
    channel_set_nonblocking(broker->zygote.channel_fd, NULL);
    while (receive_from_zygote(broker))
        ;
    bool had_started = broker->zygote.started;
    loop_unwatch(broker->loop, &broker->zygote.exit_watch);
    int status = broker_reap(broker, &broker->zygote.pid_fd);
    close_peer(broker, &broker->zygote);
    session_zygote_gone(broker);
    if (broker->stopping) {
        broker_session_settled(broker);
        return;
    }
    struct error err = {0};
    log_error("zygote.ended", "status=%d", status);
    if (!may_restart_zygote(broker, had_started)) {
        stop(broker, 1);
    } else if (start_zygote(broker, &err) < 0) {
        log_error("zygote.failed", "message=\"%s\"", err.message);
        stop(broker, 1);
    }
}

static void on_stop_time(void *self)
{
    struct broker *broker = self;
    if (broker->front.pid_fd >= 0)
        namespaces_signal(broker->front.pid_fd, SIGKILL, NULL);
}

/* The front first, so that answers in flight get out; then the sessions, then the zygote. */
static void stop(struct broker *broker, int exit_status)
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
        stop(broker, 0);
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
        .front = {.pid_fd = -1, .channel_fd = -1},
        .zygote = {.pid_fd = -1, .channel_fd = -1},
    };
    session_table_start(&broker);
    broker.loop = loop_create(clock_system(), err);
    if (!broker.loop || open_signals(&broker, err) < 0 || start_front(&broker, err) < 0 ||
        start_zygote(&broker, err) < 0 || loop_run(broker.loop, err) < 0)
        return 1;
    loop_destroy(broker.loop);
    free(broker.free_slots);
    return broker.exit_status;
}
