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
#include "sandboxd/control/inherit.h"

enum {
    FRONT_RESTART_MS = 100,
    STOP_FRONT_MS = 5000, /* what running answers get before the front is killed */
};

static int start_front(struct broker *broker, struct error *err)
{
    const struct broker_options *options = &broker->options;
    /* An earlier front has read the files; sockets and directories cannot be rewound and need not.
     */
    for (int i = 0; i < options->front_fd_count; i++)
        lseek(options->front_fds[i], 0, SEEK_SET);
    broker->greeted = broker->front_spoke = false;
    struct spawn program = {
        .executable_fd = INHERIT_FRONT_FD,
        .arguments = options->front_arguments,
        .fd_count = options->front_fd_count,
    };
    memcpy(program.fds, options->front_fds, sizeof *program.fds * (size_t)program.fd_count);
    if (child_start(broker, &broker->front, &program, err) < 0)
        return error_add_context(err, "start the front");
    session_offer_all(broker);
    broker_session_settled(broker);
    return 0;
}

void broker_tell_front(struct broker *broker, enum frame_type type, uint64_t number,
                       const void *payload, size_t length, const int *fds, int fd_count)
{
    /* One that does not read holds everybody up for CHILD_SEND_MS, once. */
    if (broker->front.pid && !broker->front.ending &&
        channel_send(broker->front.channel_fd, type, number, payload, length, fds, fd_count, NULL) <
            0)
        child_signal(&broker->front, SIGKILL);
}

void broker_tell_image(struct broker *broker)
{
    if (broker->greeted && broker->image_length > 0)
        broker_tell_front(broker, FRAME_IMAGE, 0, broker->image, broker->image_length, NULL, 0);
}

void broker_session_settled(struct broker *broker)
{
    if (!broker->greeted && broker->front.pid && broker->collecting == 0) {
        broker->greeted = true;
        broker_tell_front(broker, FRAME_HELLO, broker->next_number, NULL, 0, NULL, 0);
        broker_tell_image(broker);
    }
    if (broker->stopping && broker->front.pid == 0 && broker->session_count == 0) {
        zygote_end_all(broker);
        if (LIST_EMPTY(&broker->zygotes))
            loop_stop(broker->loop);
    }
}

static void on_front_frame(void *self)
{
    struct broker *broker = self;
    broker->front_spoke = true;
    session_handle_front(broker);
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

static void on_front_exit(void *self, int status)
{
    struct broker *broker = self;
    /* One that refuses its configuration ends by itself, before it has said anything. */
    bool had_started = broker->front_spoke || WIFSIGNALED(status);
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
        loop_start_timer_in(broker->loop, &broker->restart_timer, FRONT_RESTART_MS, on_restart_time,
                            broker);
}

static void on_stop_time(void *self)
{
    struct broker *broker = self;
    child_signal(&broker->front, SIGKILL);
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
    if (broker->front.pid) {
        child_signal(&broker->front, SIGTERM);
        loop_start_timer_in(broker->loop, &broker->stop_timer, STOP_FRONT_MS, on_stop_time, broker);
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
        child_reap_strangers(broker);
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
        .front = {.on_frame = on_front_frame, .on_exit = on_front_exit, .self = &broker},
    };
    broker.warming_max = BROKER_WARMING_PER_CORE * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    session_table_start(&broker);
    broker.loop = loop_create(clock_system(), err);
    if (!broker.loop || open_signals(&broker, err) < 0 || start_front(&broker, err) < 0 ||
        zygote_start(&broker, START_FORK, err) < 0 || loop_run(broker.loop, err) < 0)
        return 1;
    loop_destroy(broker.loop);
    free(broker.slots);
    return broker.exit_status;
}
