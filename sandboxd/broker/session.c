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

static void on_shell_exit(void *self, uint32_t events);
static void on_command(void *self, uint32_t events);

void session_table_start(struct broker *broker)
{
    uint32_t slots = (broker->options.ids - OUTER_FIRST_SESSION_ID) / OUTER_IDS_PER_SESSION;
    broker->free_slots = xcalloc(slots, sizeof *broker->free_slots);
    for (uint32_t i = 0; i < slots; i++)
        broker->free_slots[broker->free_slot_count++] = slots - 1 - i;
    broker->next_number = 1;
    broker->waiting_end = &broker->waiting;
}

struct session *session_find(struct broker *broker, uint64_t number)
{
    struct session *session = broker->buckets[number % BROKER_BUCKETS];
    while (session && session->number != number)
        session = session->next_in_bucket;
    return session;
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
    struct session **link = &broker->buckets[session->number % BROKER_BUCKETS];
    while (*link != session)
        link = &(*link)->next_in_bucket;
    *link = session->next_in_bucket;

    session_leave_queue(session);
    if (session->collecting)
        broker->collecting--;
    loop_unwatch(broker->loop, &session->shell_exit);
    loop_unwatch(broker->loop, &session->interpreter_exit);
    loop_unwatch(broker->loop, &session->command);
    /* Older kernels hang up only when the last process behind the filter has been reaped. */
    audit_close(session);
    close_fd(&session->egress_fd);
    loop_stop_timer(broker->loop, &session->shell_deadline);
    close_fd(&session->shell_pid_fd);
    close_fd(&session->interpreter_pid_fd);
    close_fd(&session->command_fd);
    for (int i = 0; i < 4; i++)
        close_fd(&session->front_fds[i]);
    cgroup_remove(&broker->options.tree, session->number);
    broker->free_slots[broker->free_slot_count++] = session->slot;
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
    if (session->state == SESSION_ENDING && session->shell_pid_fd < 0 &&
        session->interpreter_pid_fd < 0 && session->egress_pid_fd < 0 && !session->zygote)
        session_free(session);
}

void session_end(struct session *session)
{
    if (session->state == SESSION_ENDING)
        return;
    if (!session->zygote)
        session_leave_queue(session);
    loop_stop_timer(session->broker->loop, &session->shell_deadline);
    session->state = SESSION_ENDING;
    /* PID 1 takes its whole pid namespace along. */
    if (session->shell_pid_fd >= 0)
        namespaces_signal(session->shell_pid_fd, SIGKILL, NULL);
    if (session->egress_pid_fd >= 0)
        namespaces_signal(session->egress_pid_fd, SIGKILL, NULL);
    session_free_if_ended(session);
}

void session_fail(struct session *session, const char *text)
{
    if (!session->failed)
        snprintf(session->failure, sizeof session->failure, "%.*s", RESULT_TEXT_MAX - 1, text);
    session->failed = true;
    session_end(session);
}

bool session_has_process(struct broker *broker, pid_t pid)
{
    for (int i = 0; i < BROKER_BUCKETS; i++) {
        for (struct session *session = broker->buckets[i]; session;
             session = session->next_in_bucket) {
            if ((session->shell_pid_fd >= 0 && session->shell_pid == pid) ||
                (session->interpreter_pid_fd >= 0 && session->interpreter_pid == pid) ||
                (session->egress_pid_fd >= 0 && session->egress_pid == pid))
                return true;
        }
    }
    return false;
}

void session_end_all(struct broker *broker)
{
    for (int i = 0; i < BROKER_BUCKETS; i++) {
        struct session *next;
        for (struct session *session = broker->buckets[i]; session; session = next) {
            next = session->next_in_bucket;
            session_end(session);
        }
    }
}

/* ---- deadlines ---- */

static void on_shell_silent(void *self)
{
    session_fail(self, "the session shell does not answer");
}

static void await_shell(struct session *session, int64_t within_ms)
{
    struct loop *loop = session->broker->loop;
    loop_start_timer(loop, &session->shell_deadline, loop_now_ms(loop) + within_ms, on_shell_silent,
                     session);
}

static void shell_answered(struct session *session)
{
    if (session->sweeps_owed == 0 && !session->collecting)
        loop_stop_timer(session->broker->loop, &session->shell_deadline);
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
    return channel_send(session->command_fd, FRAME_SHELL_SETUP, session->number, &root, sizeof root,
                        fds, sizeof fds / sizeof *fds, err);
}

static int start_shell(struct session *session, struct error *err)
{
    struct broker *broker = session->broker;
    int command[2], file[2];
    if (channel_pair(command, err) < 0)
        return -1;
    session->command_fd = command[0];
    AUTO_CLOSE int command_peer_fd = command[1];
    if (channel_pair(file, err) < 0)
        return -1;
    session->front_fds[0] = file[0];
    AUTO_CLOSE int file_peer_fd = file[1];

    uint32_t slot = LAYER("session-ids") ? session->slot : 0;
    uint32_t first_id = OUTER_FIRST_SESSION_ID + slot * OUTER_IDS_PER_SESSION;
    struct spawn_shell shell = {
        .executable_fd = broker->options.session_fd,
        .command_fd = command_peer_fd,
        .file_fd = file_peer_fd,
        .root_id = first_id,
        .guest_id = first_id + 1,
        .tree = &broker->options.tree,
        .session = session->number,
    };
    if (channel_limit_sends(session->command_fd, BROKER_SEND_MS, err) < 0 ||
        cgroup_create(&broker->options.tree, session->number, &session->plan, err) < 0)
        return -1;
    session->shell_pid = spawn_shell(&shell, &session->shell_pid_fd, err);
    if (session->shell_pid < 0)
        return -1;
    if (loop_watch(broker->loop, &session->shell_exit, session->shell_pid_fd, EPOLLIN,
                   on_shell_exit, session, err) < 0) {
        /* Nobody would see its end. */
        broker_kill(broker, &session->shell_pid_fd);
        return -1;
    }
    if (loop_watch(broker->loop, &session->command, session->command_fd, EPOLLIN, on_command,
                   session, err) < 0)
        return -1;
    await_shell(session, SHELL_START_MS);
    return send_setup(session, err);
}

static void session_start(struct broker *broker, struct channel_message *message)
{
    struct error err = {0};
    struct session_plan_message plan;
    uint64_t number = message->frame.tag;
    if (message_read_session_plan(&message->frame, &plan, &err) < 0 ||
        plan.policy >= broker->options.policy_count) {
        tell_failure(broker, number, EINVAL, "a session that makes no sense");
        return;
    }
    if (number < broker->next_number || broker->free_slot_count == 0) {
        tell_failure(broker, number, EAGAIN, "the session number or all id slots are in use");
        return;
    }
    broker->next_number = number + 1;

    struct session *session = xcalloc(1, sizeof *session);
    *session = (struct session){
        .broker = broker,
        .number = number,
        .slot = broker->free_slots[--broker->free_slot_count],
        .plan = plan,
        .shell_pid_fd = -1,
        .command_fd = -1,
        .interpreter_pid_fd = -1,
        .audit_fd = -1,
        .egress_pid_fd = -1,
        .egress_fd = -1,
        .front_fds = {-1, -1, -1, -1},
    };
    session->next_in_bucket = broker->buckets[number % BROKER_BUCKETS];
    broker->buckets[number % BROKER_BUCKETS] = session;
    broker->session_count++;
    if (start_shell(session, &err) < 0)
        session_fail(session, err.message);
}

/* ---- deaths ---- */

static void on_shell_exit(void *self, uint32_t events)
{
    (void)events;
    struct session *session = self;
    loop_unwatch(session->broker->loop, &session->shell_exit);
    /* What it had to say about its failure may not have been read yet. */
    if (session->state == SESSION_SHELL_STARTING && session->command.active)
        on_command(session, 0);
    broker_reap(session->broker, &session->shell_pid_fd);
    if (session->state == SESSION_SHELL_STARTING)
        session_fail(session, "the session shell ended while it started");
    else if (session->state != SESSION_ENDING)
        session_end(session);
    else
        session_free_if_ended(session);
}

/* Every guest process; the shell says when it has been done, so that none of the next ones is hit.
 */
static void sweep(struct session *session)
{
    session->sweeps_owed++;
    await_shell(session, SHELL_ANSWER_MS);
    if (channel_send(session->command_fd, FRAME_SHELL_KILL, session->number, NULL, 0, NULL, 0,
                     NULL) < 0)
        session_end(session);
}

/* What the interpreter left behind is killed before the front may ask for a new one. */
void session_on_interpreter_exit(void *self, uint32_t events)
{
    (void)events;
    struct session *session = self;
    loop_unwatch(session->broker->loop, &session->interpreter_exit);
    session->interpreter_status = broker_reap(session->broker, &session->interpreter_pid_fd);
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

static void on_command(void *self, uint32_t events)
{
    (void)events;
    struct session *session = self;
    struct channel_message *message = &session->broker->message;
    struct error err = {0};
    enum channel_outcome outcome =
        channel_receive(session->command_fd, FRAME_DESCRIPTORS_MAX, message, &err);
    if (outcome != CHANNEL_MESSAGE) {
        /* Its exit will be seen too; until then there is nothing to read. */
        loop_unwatch(session->broker->loop, &session->command);
        if (outcome == CHANNEL_BROKEN)
            session_fail(session, err.message);
        return;
    }
    if (session->state != SESSION_ENDING) {
        if (message->frame.type == FRAME_SHELL_READY)
            shell_ready(session, message);
        else if (message->frame.type == FRAME_SHELL_FAILED)
            shell_failed(session, &message->frame);
        else if (message->frame.type == FRAME_SHELL_KEPT && session->collecting)
            collected(session, message);
    }
    channel_release(message);
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
    if (session->interpreter_pid_fd >= 0)
        namespaces_signal(session->interpreter_pid_fd, SIGINT, NULL);
    broker_tell_front(session->broker, FRAME_INTERPRETER_SIGNALLED, session->number, NULL, 0, NULL,
                      0);
}

void session_handle_front(struct broker *broker, struct channel_message *message)
{
    if (message->frame.type == FRAME_SESSION_START) {
        session_start(broker, message);
        return;
    }
    struct session *session = session_find(broker, message->frame.tag);
    if (!session || session->state == SESSION_ENDING)
        return; /* it has been told, or will be */

    switch (message->frame.type) {
    case FRAME_SESSION_STORE:
        store(session, &message->frame);
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
        log_warning("front.unexpected", "type=%d", (int)message->frame.type);
    }
}

void session_offer_all(struct broker *broker)
{
    for (int i = 0; i < BROKER_BUCKETS; i++) {
        struct session *next;
        for (struct session *session = broker->buckets[i]; session; session = next) {
            next = session->next_in_bucket;
            /* Nobody's yet, or in the middle of a change that the old front had asked for. */
            bool in_use = session->blob_length > 0 &&
                          (session->state == SESSION_RUNNING || session->state == SESSION_EMPTY);
            if (!in_use || channel_send(session->command_fd, FRAME_SHELL_RETURN, session->number,
                                        NULL, 0, NULL, 0, NULL) < 0) {
                session_end(session);
                continue;
            }
            if (!session->collecting)
                broker->collecting++;
            session->collecting = true;
            await_shell(session, SHELL_ANSWER_MS);
        }
    }
}
