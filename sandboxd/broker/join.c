/* Joins: a fork of a zygote for each session that waits for an interpreter. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/broker/internal.h"

void session_leave_queue(struct session *session)
{
    struct broker *broker = session->broker;
    struct session **link = &broker->waiting;
    while (*link && *link != session)
        link = &(*link)->next_waiting;
    if (!*link)
        return;
    *link = session->next_waiting;
    if (!*link)
        broker->waiting_end = link;
}

void session_wait_for_join(struct session *session)
{
    struct broker *broker = session->broker;
    session->state = SESSION_WAITING;
    session->next_waiting = NULL;
    *broker->waiting_end = session;
    broker->waiting_end = &session->next_waiting;
    session_ask_joins(broker);
}

/* Channel and pipes of a new interpreter: the front's ends stay in the session. */
static int make_ends(struct session *session, int ret_peers[3], struct error *err)
{
    int pair[2];
    if (channel_pair(pair, err) < 0)
        return -1;
    session->front_fds[1] = pair[0];
    channel_refuse_descriptors(pair[0]);
    ret_peers[0] = pair[1];
    for (int i = 1; i < 3; i++) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return error_from_errno(err, "pipe");
        session->front_fds[1 + i] = pair[0];
        ret_peers[i] = pair[1];
    }
    return 0;
}

/* What a FRAME_JOIN passes: the shell, the interpreter's ends, its profile, its cgroups, and what
 * is for a listener when the filter asks. The first and the fifth are borrowed. */
enum { JOIN_SHELL, JOIN_ENDS, JOIN_PROFILE = 4, JOIN_CGROUPS };
struct join_fds {
    int fds[FRAME_DESCRIPTORS_MAX];
    int count;
};

static int open_join(struct session *session, struct join_fds *ret_fds, struct error *err)
{
    const struct broker_options *options = &session->broker->options;
    const struct cgroup_tree *tree = &options->tree;
    int profile_fd = session->plan.audit ? options->asking_profiles[session->plan.policy].fd
                                         : options->profile_fds[session->plan.policy];
    struct join_fds join = {
        .fds = {[JOIN_SHELL] = session->shell_pid_fd, -1, -1, -1, [JOIN_PROFILE] = profile_fd},
        .count = JOIN_CGROUPS,
    };
    int result = make_ends(session, join.fds + JOIN_ENDS, err);
    if (result == 0)
        result = cgroup_open(tree, session->number, CGROUP_GUEST, join.fds + join.count, err);
    if (result == 0)
        join.count += tree->count;
    if (result == 0 && session->plan.audit)
        result = audit_open(session, &join.fds[join.count++], err);
    *ret_fds = join;
    return result;
}

static void close_join(struct join_fds *join)
{
    for (int i = JOIN_ENDS; i < join->count; i++) {
        if (i != JOIN_PROFILE)
            close_fd(&join->fds[i]);
    }
}

static void drop_ends(struct session *session)
{
    for (int i = 1; i < 4; i++)
        close_fd(&session->front_fds[i]);
}

/* A zygote that does not take it ends, and the session keeps its place for the next one. */
static void ask_join(struct session *session, struct zygote *zygote)
{
    const struct join_message how = {
        .memory_bytes = session->plan.memory_bytes,
        .tasks = session->plan.tasks,
        .cgroup_version = (uint16_t)session->broker->options.tree.version,
        .audit = session->plan.audit,
    };
    struct join_fds join;
    struct error err = {0};
    if (open_join(session, &join, &err) < 0) {
        close_join(&join);
        session_fail(session, err.message);
        return;
    }
    int result = channel_send(zygote->peer.channel_fd, FRAME_JOIN, session->number, &how,
                              sizeof how, join.fds, join.count, &err);
    close_join(&join);
    if (result < 0) {
        drop_ends(session);
        zygote_kill(zygote, err.message);
        return;
    }
    session->zygote = zygote;
    zygote_note_asked(zygote);
}

/* The first from that one on that is of that kind and has not been asked for. */
static struct session *find_waiting(struct session *session, enum session_start start)
{
    while (session && (session->zygote || session->plan.start != start))
        session = session->next_waiting;
    return session;
}

unsigned session_count_waiting(const struct broker *broker, enum session_start start, unsigned most)
{
    unsigned count = 0;
    struct session *session = broker->waiting;
    while (count < most && (session = find_waiting(session, start))) {
        session = session->next_waiting;
        count++;
    }
    return count;
}

void session_fail_waiting(struct broker *broker, enum session_start start, const char *text)
{
    struct session *session;
    while ((session = find_waiting(broker->waiting, start)))
        session_fail(session, text);
}

void session_ask_joins(struct broker *broker)
{
    for (enum session_start start = START_FORK; start < START_END; start++) {
        struct zygote *zygote;
        struct session *session;
        while ((zygote = zygote_to_ask(broker, start)) &&
               (session = find_waiting(broker->waiting, start)))
            ask_join(session, zygote);
    }
}

void session_zygote_gone(struct zygote *zygote)
{
    struct session *next;
    for (struct session *session = zygote->broker->waiting; session; session = next) {
        next = session->next_waiting;
        if (session->zygote != zygote)
            continue;
        session->zygote = NULL;
        drop_ends(session);
        if (session->state == SESSION_ENDING) {
            session_leave_queue(session);
            session_free_if_ended(session);
        }
    }
}

/* The front's ends go to the shell for safe keeping, and to the front. */
static void announce(struct session *session)
{
    enum frame_type type = session->announced ? FRAME_INTERPRETER_JOINED : FRAME_SESSION_STARTED;
    const int *fds = session->front_fds + session->announced;
    int count = 4 - session->announced;
    if (channel_send(session->command_fd, FRAME_SHELL_KEEP, session->number, NULL, 0, fds, count,
                     NULL) < 0) {
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
    session->interpreter_pid = pid;
    session->interpreter_pid_fd = pid_fd;
    if (loop_watch(session->broker->loop, &session->interpreter_exit, pid_fd, EPOLLIN,
                   session_on_interpreter_exit, session, &err) < 0) {
        /* Nobody would see its end. */
        broker_kill(session->broker, &session->interpreter_pid_fd);
        session_fail(session, err.message);
        session_free_if_ended(session);
        return;
    }
    if (session->state == SESSION_ENDING)
        return;
    session->state = SESSION_RUNNING;
    announce(session);
}

void session_handle_zygote(struct zygote *zygote, struct channel_message *message)
{
    struct broker *broker = zygote->broker;
    struct session *session = session_find(broker, message->frame.tag);
    if (!session || session->zygote != zygote)
        return;
    session->zygote = NULL;
    session_leave_queue(session);
    zygote_note_answered(zygote);

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
    broker_reap_strangers(broker);
}
