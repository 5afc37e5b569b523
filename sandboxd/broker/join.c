/* Joins: a fork of a zygote for each session that waits for an interpreter. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/broker/internal.h"

void session_wait_for_join(struct session *session)
{
    session->state = SESSION_WAITING;
    TAILQ_INSERT_TAIL(&session->broker->waiting[session->plan.start], session, queue);
    session_ask_joins(session->broker);
}

/* What a FRAME_JOIN passes that is the interpreter's: its ends of channel and pipes, its cgroups,
 * and what is for a listener when the filter asks. The shell and the profile, borrowed, follow. */
struct ends {
    int fds[FRAME_DESCRIPTORS_MAX];
    int count;
};

/* The front's ends stay in the session. */
static int open_ends(struct session *session, struct ends *ends, struct error *err)
{
    const struct cgroup_tree *tree = &session->broker->options.tree;
    int pair[2];
    if (channel_pair(pair, err) < 0)
        return -1;
    channel_refuse_descriptors(pair[0]);
    session->front_fds[1] = pair[0];
    ends->fds[ends->count++] = pair[1];
    for (int i = 2; i < 4; i++) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return error_from_errno(err, "pipe");
        session->front_fds[i] = pair[0];
        ends->fds[ends->count++] = pair[1];
    }
    if (cgroup_open(tree, session->number, CGROUP_GUEST, ends->fds + ends->count, err) < 0)
        return -1;
    ends->count += tree->count;
    return session->plan.audit ? audit_open(session, &ends->fds[ends->count++], err) : 0;
}

static void drop_ends(struct session *session)
{
    for (int i = 1; i < 4; i++)
        close_fd(&session->front_fds[i]);
}

static int send_join(struct session *session, int zygote_fd, const struct ends *ends,
                     struct error *err)
{
    const struct broker_options *options = &session->broker->options;
    const struct session_plan_message *plan = &session->plan;
    const struct join_message how = {
        .memory_bytes = plan->memory_bytes,
        .tasks = plan->tasks,
        .cgroup_version = (uint16_t)options->tree.version,
        .audit = plan->audit,
    };
    struct ends all = *ends;
    all.fds[all.count++] = session->shell.pid_fd;
    all.fds[all.count++] = plan->audit ? options->asking_profiles[plan->policy].fd
                                       : options->profile_fds[plan->policy];
    return channel_send(zygote_fd, FRAME_JOIN, session->number, &how, sizeof how, all.fds,
                        all.count, err);
}

/* A zygote that does not take it ends, and the session keeps its place for the next one. */
static void ask_join(struct session *session, struct zygote *zygote)
{
    struct ends ends = {.count = 0};
    struct error err = {0};
    if (open_ends(session, &ends, &err) < 0) {
        session_fail(session, err.message);
    } else if (send_join(session, zygote->child.channel_fd, &ends, &err) < 0) {
        drop_ends(session);
        zygote_kill(zygote, err.message);
    } else {
        TAILQ_REMOVE(&session->broker->waiting[session->plan.start], session, queue);
        zygote_note_asked(zygote, session);
    }
    for (int i = 0; i < ends.count; i++)
        close_fd(&ends.fds[i]);
}

void session_fail_waiting(struct broker *broker, enum session_start start, const char *text)
{
    struct session *session;
    while ((session = TAILQ_FIRST(&broker->waiting[start])))
        session_fail(session, text);
}

void session_ask_joins(struct broker *broker)
{
    for (enum session_start start = START_FORK; start < START_END; start++) {
        struct zygote *zygote;
        struct session *session;
        while ((zygote = zygote_to_ask(broker, start)) &&
               (session = TAILQ_FIRST(&broker->waiting[start])))
            ask_join(session, zygote);
    }
}

void session_zygote_gone(struct zygote *zygote)
{
    struct session *session;
    while ((session = TAILQ_LAST(&zygote->owed, session_queue))) {
        TAILQ_REMOVE(&zygote->owed, session, queue);
        session->zygote = NULL;
        drop_ends(session);
        if (session->state == SESSION_ENDING)
            session_free_if_ended(session);
        else
            TAILQ_INSERT_HEAD(&zygote->broker->waiting[session->plan.start], session, queue);
    }
}

/* The front's ends go to the shell for safe keeping, and to the front. */
static void announce(struct session *session)
{
    enum frame_type type = session->announced ? FRAME_INTERPRETER_JOINED : FRAME_SESSION_STARTED;
    const int *fds = session->front_fds + session->announced;
    int count = 4 - session->announced;
    if (channel_send(session->shell.channel_fd, FRAME_SHELL_KEEP, session->number, NULL, 0, fds,
                     count, NULL) < 0) {
        session_end(session);
        return;
    }
    broker_tell_front(session->broker, type, session->number, NULL, 0, fds, count);
    session->announced = true;
    close_fd(&session->front_fds[0]);
    drop_ends(session);
}

static void joined(struct session *session, pid_t pid, int pid_fd)
{
    struct error err = {0};
    if (child_adopt(session->broker, &session->interpreter, pid, pid_fd, &err) < 0) {
        session_fail(session, err.message);
        session_free_if_ended(session);
        return;
    }
    if (session->state == SESSION_ENDING)
        return;
    session->state = SESSION_RUNNING;
    announce(session);
}

void session_handle_zygote(struct zygote *zygote)
{
    struct broker *broker = zygote->broker;
    struct channel_message *message = &broker->message;
    struct session *session = session_find(broker, message->frame.tag);
    if (!session || session->zygote != zygote)
        return;
    zygote_note_answered(zygote, session);

    struct result_message result;
    uint32_t pid;
    if (message->frame.type == FRAME_JOINED && message->fd_count == 1 &&
        message_read(&message->frame, &pid, sizeof pid, NULL) == 0) {
        joined(session, (pid_t)pid, channel_take_fd(message, 0));
    } else if (session->state == SESSION_ENDING) {
        session_free_if_ended(session);
    } else if (message->frame.type == FRAME_JOIN_FAILED &&
               message_read_result(&message->frame, &result, NULL) == 0) {
        session_fail(session, result.text);
    } else {
        session_fail(session, "the zygote does not keep the protocol");
    }
    session_ask_joins(broker);
    child_reap_strangers(broker);
}
