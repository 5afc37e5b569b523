#include "sandboxd/pool/session.h"

#include "sandboxd/pool/pool.h"

static void queue_push(struct work_queue *queue, struct work *work)
{
    work->next = NULL;
    if (queue->last)
        queue->last->next = work;
    else
        queue->first = work;
    queue->last = work;
    queue->count++;
}

static struct work *queue_pop(struct work_queue *queue)
{
    struct work *work = queue->first;
    if (!work)
        return NULL;
    queue->first = work->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return work;
}

static void join(struct session *session)
{
    if (session->joining)
        return;
    session->joining = true;
    session->pool->broker.join(session->pool->broker.self, session);
}

static void start_next(struct session *session)
{
    if (session->state != SESSION_IDLE || !session->executions.first)
        return;
    struct work *work = queue_pop(&session->executions);
    session->state = SESSION_BUSY;
    session->in_turn = true;
    work->on_turn(work->self, session);
}

int session_enqueue_execution(struct session *session, struct work *work, struct error *err)
{
    if (session->executions.count >= SESSION_QUEUE_MAX)
        return error_set(err, ERROR_LIMIT, "%d executions already wait for this session",
                         SESSION_QUEUE_MAX);
    session_hold(session);
    queue_push(&session->executions, work);
    if (session->state == SESSION_RECOVERING)
        join(session);
    start_next(session);
    return 0;
}

void session_withdraw_execution(struct session *session, struct work *work)
{
    struct work_queue rest = {0};
    bool waits = false;
    for (struct work *each; (each = queue_pop(&session->executions));) {
        waits = waits || each == work;
        if (each != work)
            queue_push(&rest, each);
    }
    session->executions = rest;
    if (waits)
        session_release(session);
}

void session_enqueue_transfer(struct session *session, struct work *work)
{
    session_hold(session);
    if (session->has_shell)
        work->on_turn(work->self, session);
    else
        queue_push(&session->transfers, work);
}

void session_hold(struct session *session)
{
    session->holds++;
    pool_note_use(session);
}

void session_begin_guard(struct session *session)
{
    session->holds++;
}

void session_end_turn(struct session *session)
{
    if (!session->in_turn)
        return;
    session->in_turn = false;
    session_release(session);
}

bool session_has_ended(const struct session *session)
{
    return session->state >= SESSION_REMOVING;
}

void session_on_started(struct session *session)
{
    session->has_shell = true;
    struct pool_broker *broker = &session->pool->broker;
    if (session->state == SESSION_REMOVING) {
        broker->remove(broker->self, session);
        return;
    }
    pool_store_session(session);

    session_begin_guard(session);
    struct work *work;
    while ((work = queue_pop(&session->transfers)))
        work->on_turn(work->self, session);
    session_end_guard(session);
}

void session_on_interpreter_idle(struct session *session)
{
    session_begin_guard(session);
    session_end_turn(session);
    if (!session_has_ended(session)) {
        session->state = SESSION_IDLE;
        session->joining = false;
        pool_note_ready(session);
        start_next(session);
    }
    session_end_guard(session);
}

/* Each execution that waits pays for at most one attempt, so that a session whose files leave no
 * memory for an interpreter does not start interpreters for ever. */
static void lose_first(struct session *session, const struct error *why)
{
    struct work *work = queue_pop(&session->executions);
    if (!work)
        return;
    session_release(session);
    work->on_lost(work->self, why);
}

static void recover(struct session *session, const struct error *why)
{
    enum session_state before = session->state;
    session->state = SESSION_RECOVERING;
    session->joining = false;
    bool at_once = before == SESSION_BUSY || before == SESSION_IDLE;
    if (!at_once)
        lose_first(session, why);
    if (!session_has_ended(session) && (at_once || session->executions.first))
        join(session);
}

void session_on_interpreter_gone(struct session *session, const struct error *why)
{
    session_begin_guard(session);
    session_end_turn(session);
    if (!session_has_ended(session) && session->identifier)
        recover(session, why);
    else if (!session_has_ended(session)) {
        pool_note_failed_start(session->pool);
        pool_remove_session(session);
    }
    session_end_guard(session);
}
