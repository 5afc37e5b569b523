#include "sandboxd/link/session_link.h"

#include <inttypes.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/link/broker_link.h"

static void on_interpreter_idle(void *self)
{
    struct session_link *link = self;
    session_on_interpreter_idle(link->session);
}

static void on_interrupt(void *self)
{
    struct session_link *link = self;
    broker_link_send(link->broker, FRAME_INTERPRETER_SIGNAL, link->number);
}

static void on_kill(void *self)
{
    struct session_link *link = self;
    broker_link_send(link->broker, FRAME_INTERPRETER_KILL, link->number);
}

static void on_catch_up(void *self)
{
    struct session_link *link = self;
    broker_link_catch_up(link->broker);
}

static void on_shell_broken(void *self)
{
    struct session_link *link = self;
    if (session_has_ended(link->session))
        return; /* as was asked for */
    log_warning("session.shell_lost", "session=s-%" PRIu64, link->number);
    pool_remove_session(link->session);
}

struct session_link *session_link_create(struct broker_link *broker, struct session *session,
                                         uint64_t number)
{
    struct session_link *link = xcalloc(1, sizeof *link);
    link->broker = broker;
    link->session = session;
    link->number = number;
    link->requested_us = clock_monotonic_us();
    random_guid(link->guid);

    struct interpreter_events events = {
        .on_idle = on_interpreter_idle,
        .interrupt = on_interrupt,
        .kill = on_kill,
        .catch_up = on_catch_up,
        .self = link,
    };
    interpreter_create(&link->interpreter, broker->loop, &events);
    shell_create(&link->shell, broker->loop, on_shell_broken, link);
    session->link = link;
    return link;
}

void session_link_destroy(struct session_link *link)
{
    interpreter_on_gone(&link->interpreter, NULL);
    shell_close(&link->shell);
    execution_log_clear(&link->executions);
    link->session->link = NULL;
    free(link);
}

/* A session whose descriptors cannot be used is of no use to anybody. */
static void give_up(struct session_link *link, const struct error *err)
{
    log_error("session.unusable", "session=s-%" PRIu64 " error=\"%s\"", link->number, err->message);
    pool_remove_session(link->session);
}

/* The interpreter's descriptors begin with that one. */
static int attach_interpreter(struct session_link *link, struct channel_message *message, int first,
                              int64_t ping_timeout_ms, struct error *err)
{
    int channel_fd = channel_take_fd(message, first);
    int stdout_fd = channel_take_fd(message, first + 1);
    int stderr_fd = channel_take_fd(message, first + 2);
    return interpreter_attach(&link->interpreter, channel_fd, stdout_fd, stderr_fd, ping_timeout_ms,
                              err);
}

void session_link_on_started(struct session_link *link, struct channel_message *message,
                             bool adopted)
{
    struct error err = {0};
    int64_t ping_timeout_ms = adopted ? link->session->pool->settings.execution_timeout_ms : -1;
    bool usable = shell_attach(&link->shell, channel_take_fd(message, 0), &err) == 0;
    usable =
        attach_interpreter(link, message, 1, ping_timeout_ms, usable ? &err : NULL) == 0 && usable;
    if (!usable)
        give_up(link, &err); /* first: what waits for the session must not use it */
    if (!adopted)
        session_on_started(link->session);
    log_debug("session.started", "session=s-%" PRIu64 " wall_us=%" PRId64, link->number,
              clock_monotonic_us() - link->requested_us);
}

void session_link_on_joined(struct session_link *link, struct channel_message *message)
{
    struct error err = {0};
    if (attach_interpreter(link, message, 0, -1, &err) < 0)
        give_up(link, &err);
}

void session_link_on_interpreter_gone(struct session_link *link, const struct gone_message *gone)
{
    /* Between the request for a fresh interpreter and its arrival, this is still about the old one.
     */
    if (link->interpreter.state == INTERPRETER_NONE)
        return;
    char ending[INTERPRETER_ENDING_MAX];
    interpreter_describe_ending(gone, ending, sizeof ending);
    log_info("interpreter.gone", "session=s-%" PRIu64 " out_of_memory=%u ending=\"%s\"",
             link->number, gone->out_of_memory, ending);
    struct error why;
    error_set(&why, ERROR_SYSTEM,
              "the session's fresh interpreter did not start: %s; delete files or the session",
              ending);
    interpreter_on_gone(&link->interpreter, gone);
    session_on_interpreter_gone(link->session, &why);
}

void session_link_on_ended(struct session_link *link, const struct error *why)
{
    struct session *session = link->session;
    session_link_destroy(link);
    session_on_ended(session, why);
}
