/* The broker's sessions: shells, deaths, and what the front asks of them. Joins are in join.c. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "base/core/without.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/broker/spawn.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/sandbox/namespaces.h"

enum {
    SHELL_START_MS = 60000, /* many may start at once */
    SHELL_ANSWER_MS = 10000,
};

void session_table_start(struct broker *broker)
{
    broker->slot_count = (broker->options.ids - OUTER_FIRST_SESSION_ID) / OUTER_IDS_PER_SESSION;
    broker->slots = xcalloc(broker->slot_count, sizeof *broker->slots);
    broker->next_number = 1;
    for (int i = 0; i < START_END; i++)
        TAILQ_INIT(&broker->waiting[i]);
}

/* NULL for 0, which is the number of a free slot. */
struct session *session_find(struct broker *broker, uint64_t number)
{
    struct session_slot *slot = broker->slots;
    while (slot < broker->slots + broker->slots_used && slot->number != number)
        slot++;
    return slot < broker->slots + broker->slots_used ? slot->session : NULL;
}

static struct session_slot *find_free_slot(struct broker *broker)
{
    struct session_slot *slot = broker->slots;
    while (slot < broker->slots + broker->slots_used && slot->session)
        slot++;
    if (slot == broker->slots + broker->slot_count)
        return NULL;
    if (slot == broker->slots + broker->slots_used)
        broker->slots_used++;
    return slot;
}

static void tell_failure(struct broker *broker, uint64_t number, int error_number, const char *text)
{
    struct result_message result;
    size_t length = message_fill_result(&result, error_number, text);
    log_warning("session.failed", "session=s-%" PRIu64 " message=\"%s\"", number, text);
    broker_tell_front(broker, FRAME_SESSION_FAILED, number, &result, length, NULL, 0);
}

/* Everything has been reaped and the cgroup is empty. */
static void session_free(struct session *session)
{
    struct broker *broker = session->broker;
    /* Older kernels hang up only when the last process behind the filter has been reaped. */
    audit_close(session);
    for (int i = 0; i < 4; i++)
        close_fd(&session->front_fds[i]);
    cgroup_remove(&broker->options.tree, session->number);
    if (session->collecting)
        broker->collecting--;
    broker->slots[session->slot] = (struct session_slot){0};
    broker->session_count--;

    if (session->failed)
        tell_failure(broker, session->number, EIO, session->failure);
    else
        broker_tell_front(broker, FRAME_SESSION_GONE, session->number, NULL, 0, NULL, 0);
    free(session);
    broker_session_settled(broker);
}

void session_free_if_ended(struct session *session)
{
    if (session->state == SESSION_ENDING && session->shell.pid == 0 &&
        session->interpreter.pid == 0 && session->egress.pid == 0 && !session->zygote)
        session_free(session);
}

void session_end(struct session *session)
{
    if (session->state == SESSION_ENDING)
        return;
    if (session->state == SESSION_WAITING && !session->zygote)
        TAILQ_REMOVE(&session->broker->waiting[session->plan.start], session, queue);
    loop_stop_timer(session->broker->loop, &session->shell_deadline);
    session->state = SESSION_ENDING;
    /* PID 1 takes its whole pid namespace along. */
    child_signal(&session->shell, SIGKILL);
    child_signal(&session->egress, SIGKILL);
    session_free_if_ended(session);
}

void session_fail(struct session *session, const char *text)
{
    if (!session->failed)
        snprintf(session->failure, sizeof session->failure, "%.*s", RESULT_TEXT_MAX - 1, text);
    session->failed = true;
    session_end(session);
}

void session_end_all(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->slots_used; i++) {
        if (broker->slots[i].session)
            session_end(broker->slots[i].session);
    }
}

/* ---- deadlines ---- */

static void on_shell_silent(void *self)
{
    session_fail(self, "the session shell does not answer");
}

static void await_shell(struct session *session, int64_t within_ms)
{
    loop_start_timer_in(session->broker->loop, &session->shell_deadline, within_ms, on_shell_silent,
                        session);
}

static void shell_answered(struct session *session)
{
    if (session->sweeps_owed == 0 && !session->collecting)
        loop_stop_timer(session->broker->loop, &session->shell_deadline);
}

/* ---- deaths ---- */

static void on_shell_exit(void *self, int status)
{
    (void)status;
    struct session *session = self;
    if (session->state == SESSION_SHELL_STARTING)
        session_fail(session, "the session shell ended while it started");
    else if (session->state != SESSION_ENDING)
        session_end(session);
    else
        session_free_if_ended(session);
}

/* An order that the shell answers, or the session ends. */
static void order(struct session *session, enum frame_type type)
{
    await_shell(session, SHELL_ANSWER_MS);
    if (channel_send(session->shell.channel_fd, type, session->number, NULL, 0, NULL, 0, NULL) < 0)
        session_end(session);
}

/* Every guest process; the shell says when it has been done, so that none of the next ones is hit.
 */
static void sweep(struct session *session)
{
    session->sweeps_owed++;
    order(session, FRAME_SHELL_KILL);
}

/* What the interpreter left behind is killed before the front may ask for a new one. */
void session_on_interpreter_exit(void *self, int status)
{
    struct session *session = self;
    session->interpreter_status = status;
    if (session->state == SESSION_ENDING) {
        session_free_if_ended(session);
        return;
    }
    session->state = SESSION_SWEEPING;
    sweep(session);
}

static void tell_interpreter_gone(struct session *session)
{
    struct broker *broker = session->broker;
    uint64_t kills = cgroup_memory_kills(&broker->options.tree, session->number);
    struct gone_message gone = {
        .wait_status = (uint32_t)session->interpreter_status,
        .out_of_memory = kills > session->memory_kills &&
                         WIFSIGNALED(session->interpreter_status) &&
                         WTERMSIG(session->interpreter_status) == SIGKILL,
    };
    session->memory_kills = kills;
    session->state = SESSION_EMPTY;
    broker_tell_front(broker, FRAME_INTERPRETER_GONE, session->number, &gone, sizeof gone, NULL, 0);
}

/* ---- the shell's side ---- */

static void collected(struct session *session, struct channel_message *message)
{
    struct broker *broker = session->broker;
    session->collecting = false;
    broker->collecting--;
    shell_answered(session);
    broker_tell_front(broker, FRAME_SESSION_ADOPT, session->number, session->blob,
                      session->blob_length, message->fds, message->fd_count);
    if (session->state == SESSION_EMPTY)
        tell_interpreter_gone(session);
    broker_session_settled(broker);
}

static void shell_ready(struct session *session, const struct channel_message *message)
{
    struct error err = {0};
    if (session->sweeps_owed > 0)
        session->sweeps_owed--;
    session->broker->proven = true;
    shell_answered(session);
    if (session->state == SESSION_SHELL_STARTING && message->fd_count > 0 &&
        egress_start(session, message->fds[0], &err) < 0)
        session_fail(session, err.message);
    else if (session->state == SESSION_SHELL_STARTING)
        session_wait_for_join(session);
    else if (session->state == SESSION_SWEEPING && session->sweeps_owed == 0)
        tell_interpreter_gone(session);
}

static void shell_failed(struct session *session, const struct frame *frame)
{
    struct broker *broker = session->broker;
    struct result_message result;
    const char *why = message_read_result(frame, &result, NULL) == 0
                          ? result.text
                          : "the session shell could not be set up";
    session_fail(session, why);
    /* Where none has ever been, this machine lacks something. */
    if (!broker->proven && !broker->stopping) {
        log_error("broker.failed",
                  "message=\"no session can be set up: %s; `sandboxd doctor` says why\"", why);
        broker_stop(broker, 1);
    }
}

static void on_shell_frame(void *self)
{
    struct session *session = self;
    struct channel_message *message = &session->broker->message;
    if (session->state == SESSION_ENDING)
        return;
    if (message->frame.type == FRAME_SHELL_READY)
        shell_ready(session, message);
    else if (message->frame.type == FRAME_SHELL_FAILED)
        shell_failed(session, &message->frame);
    else if (message->frame.type == FRAME_SHELL_KEPT && session->collecting)
        collected(session, message);
}

/* ---- starting ---- */

static int send_setup(struct session *session, struct error *err)
{
    const struct session_plan_message *plan = &session->plan;
    struct root_message root = {
        .data_bytes = plan->data_bytes,
        .data_inodes = plan->data_inodes,
        .network = plan->network,
        .names = plan->network == NETWORK_EGRESS && plan->egress.names,
    };
    const struct broker_options *options = &session->broker->options;
    int fds[] = {options->helper_filter_fd, options->profile_fds[plan->policy],
                 options->shell_filter_fd};
    return channel_send(session->shell.channel_fd, FRAME_SHELL_SETUP, session->number, &root,
                        sizeof root, fds, sizeof fds / sizeof *fds, err);
}

static int start_shell(struct session *session, struct error *err)
{
    struct broker *broker = session->broker;
    const char *const arguments[] = {"sandboxd-session", layers_to_argument(), NULL};
    int file[2];
    if (channel_pair(file, err) < 0)
        return -1;
    session->front_fds[0] = file[0];
    AUTO_CLOSE int file_peer_fd = file[1];

    uint32_t slot = LAYER("session-ids") ? session->slot : 0;
    uint32_t first_id = OUTER_FIRST_SESSION_ID + slot * OUTER_IDS_PER_SESSION;
    const struct spawn program = {
        .executable_fd = INHERIT_SESSION_FD,
        .arguments = arguments,
        .fds = {file_peer_fd},
        .fd_count = 1,
        .tree = &broker->options.tree,
        .session = session->number,
        .root_id = first_id,
        .guest_id = first_id + 1,
    };
    if (cgroup_create(&broker->options.tree, session->number, &session->plan, err) < 0 ||
        child_start(broker, &session->shell, &program, err) < 0)
        return -1;
    await_shell(session, SHELL_START_MS);
    return send_setup(session, err);
}

static void session_start(struct broker *broker, const struct frame *frame)
{
    struct error err = {0};
    struct session_plan_message plan;
    uint64_t number = frame->tag;
    if (message_read_session_plan(frame, &plan, &err) < 0 ||
        plan.policy >= broker->options.policy_count) {
        tell_failure(broker, number, EINVAL, "a session that makes no sense");
        return;
    }
    struct session_slot *slot = find_free_slot(broker);
    if (number < broker->next_number || !slot) {
        tell_failure(broker, number, EAGAIN, "the session number or all id slots are in use");
        return;
    }
    broker->next_number = number + 1;

    struct session *session = xcalloc(1, sizeof *session);
    *session = (struct session){
        .broker = broker,
        .number = number,
        .slot = (uint32_t)(slot - broker->slots),
        .plan = plan,
        .shell = {.descriptors_max = FRAME_DESCRIPTORS_MAX,
                  .on_frame = on_shell_frame,
                  .on_exit = on_shell_exit,
                  .self = session},
        .interpreter = {.on_exit = session_on_interpreter_exit, .self = session},
        .audit_fd = -1,
        .front_fds = {-1, -1, -1, -1},
    };
    *slot = (struct session_slot){number, session};
    broker->session_count++;
    if (start_shell(session, &err) < 0)
        session_fail(session, err.message);
}

/* ---- the front's side ---- */

static void store(struct session *session, const struct frame *frame)
{
    if (frame->length > sizeof session->blob)
        return;
    memcpy(session->blob, frame->payload, frame->length);
    session->blob_length = frame->length;
}

static void interrupt(struct session *session)
{
    child_signal(&session->interpreter, SIGINT);
    broker_tell_front(session->broker, FRAME_INTERPRETER_SIGNALLED, session->number, NULL, 0, NULL,
                      0);
}

void session_handle_front(struct broker *broker)
{
    const struct frame *frame = &broker->message.frame;
    if (frame->type == FRAME_SESSION_START) {
        session_start(broker, frame);
        return;
    }
    struct session *session = session_find(broker, frame->tag);
    if (!session || session->state == SESSION_ENDING)
        return; /* it has been told, or will be */

    switch (frame->type) {
    case FRAME_SESSION_STORE:
        store(session, frame);
        break;
    case FRAME_SESSION_REMOVE:
        session_end(session);
        break;
    case FRAME_INTERPRETER_SIGNAL:
        interrupt(session);
        break;
    case FRAME_INTERPRETER_KILL:
        /* The death itself is what the front is told. */
        if (session->state == SESSION_RUNNING)
            sweep(session);
        break;
    case FRAME_INTERPRETER_JOIN:
        if (session->state == SESSION_EMPTY)
            session_wait_for_join(session);
        break;
    default:
        log_warning("front.unexpected", "type=%d", (int)frame->type);
    }
}

/* Nobody's yet, or in the middle of a change that the old front had asked for, ends. */
static void offer(struct session *session)
{
    bool in_use = session->blob_length > 0 &&
                  (session->state == SESSION_RUNNING || session->state == SESSION_EMPTY);
    if (!in_use) {
        session_end(session);
        return;
    }
    session->broker->collecting += !session->collecting;
    session->collecting = true;
    order(session, FRAME_SHELL_RETURN);
}

void session_offer_all(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->slots_used; i++) {
        if (broker->slots[i].session)
            offer(broker->slots[i].session);
    }
}
