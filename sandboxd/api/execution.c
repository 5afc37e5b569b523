#include "sandboxd/api/execution.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/api/call_name.h"
#include "sandboxd/link/session_link.h"

static void execution_destroy(struct execution *execution)
{
    execution_log_remove(&execution->logged);
    wire_execution_request_clear(&execution->request);
    run_clear(&execution->run);
    free(execution->identifier);
    free(execution);
}

static void on_dropped(void *self)
{
    execution_destroy(self);
}

static size_t bytes_of(const struct execution *execution)
{
    const struct run *run = &execution->run;
    size_t tails =
        (run->output.tail ? run->output.limit : 0) + (run->errors.tail ? run->errors.limit : 0);
    size_t refusals = run->refusals.items ? REFUSALS_MAX * sizeof *run->refusals.items : 0;
    return sizeof *execution + refusals + run->output.head.capacity + run->errors.head.capacity +
           tails + run->result.capacity;
}

void execution_follow(struct execution *execution, struct execution_follower *follower)
{
    follower->next = execution->followers;
    follower->link = &execution->followers;
    if (follower->next)
        follower->next->link = &follower->next;
    execution->followers = follower;
}

void execution_unfollow(struct execution_follower *follower)
{
    if (!follower->link)
        return;
    *follower->link = follower->next;
    if (follower->next)
        follower->next->link = follower->link;
    follower->link = NULL;
}

static void tell_progress(struct execution *execution)
{
    if (execution->watcher.on_progress)
        execution->watcher.on_progress(execution->watcher.self, execution);
    for (struct execution_follower *f = execution->followers, *next; f; f = next) {
        next = f->next;
        f->watcher.on_progress(f->watcher.self, execution);
    }
}

static void tell_end(struct execution *execution, const struct error *lost)
{
    while (execution->followers) {
        struct execution_follower *follower = execution->followers;
        execution_unfollow(follower);
        if (lost)
            follower->watcher.on_lost(follower->watcher.self, execution, lost);
        else
            follower->watcher.on_over(follower->watcher.self, execution);
    }
}

/* Names of calls only: paths and hosts are the guest's data. */
static void log_refusals(const struct execution *execution)
{
    const struct refusals *refusals = &execution->run.refusals;
    AUTO_BUF struct buf calls = {0};
    uint64_t counts[REFUSAL_KINDS] = {0};
    for (size_t i = 0; i < refusals->count; i++) {
        const struct refusal *refusal = &refusals->items[i];
        char name[CALL_NAME_MAX];
        counts[refusal->kind] += refusal->count;
        if (refusal->kind == REFUSAL_CALL)
            buf_printf(&calls, "%s%s", calls.length ? "," : "", call_name(refusal->number, name));
    }
    if (refusals->count > 0)
        log_info("execution.refused",
                 "session=s-%" PRIu64 " refused=%" PRIu64 " calls=%s network=%" PRIu64
                 " files=%" PRIu64 " processes=%" PRIu64,
                 session_link_of(execution->session)->number, counts[REFUSAL_CALL],
                 calls.length ? calls.data : "-", counts[REFUSAL_NETWORK], counts[REFUSAL_FILE],
                 counts[REFUSAL_PROCESS]);
}

/* May free it. */
static void finish(struct execution *execution)
{
    execution->logged.is_over = true;
    free(execution->request.code);
    execution->request.code = NULL;
    log_refusals(execution);
    execution->session = NULL;
    if (execution->watcher.on_over)
        execution->watcher.on_over(execution->watcher.self, execution);
    tell_end(execution, NULL);
    execution_leave(execution);
    execution_log_settle(&execution->logged, bytes_of(execution));
}

static void on_finished(void *self, struct run *run)
{
    (void)run;
    finish(self);
}

static void on_output(void *self, struct run *run)
{
    (void)run;
    tell_progress(self);
}

static void on_turn(void *self, struct session *session)
{
    struct execution *execution = self;
    struct session_link *link = session_link_of(session);
    execution->turn_us = clock_monotonic_us();

    int64_t limit_ms = session->pool->settings.execution_timeout_ms;
    int64_t wanted_s = execution->request.timeout_s;
    bool within = wanted_s > 0 && wanted_s < limit_ms / 1000;
    execution->run = (struct run){
        .code = execution->request.code,
        .code_length = execution->request.code_length,
        .egress = session->pool->settings.egress,
        .is_command = execution->is_command,
        .timeout_ms = within ? wanted_s * 1000 : limit_ms,
        .stream_bytes_max = execution->run.stream_bytes_max,
        .on_finished = on_finished,
        .on_output = on_output,
        .self = execution,
    };
    interpreter_start_run(&link->interpreter, &execution->run);
    tell_progress(execution);
}

/* Where nobody waits, its fate is for those who ask later. */
static void on_lost(void *self, const struct error *err)
{
    struct execution *execution = self;
    if (!execution->watcher.on_lost) {
        execution->run.outcome = RUN_ABORTED;
        snprintf(execution->run.ending, sizeof execution->run.ending, "%.200s", err->message);
        finish(execution);
        return;
    }
    execution->watcher.on_lost(execution->watcher.self, execution, err);
    tell_end(execution, err);
    execution_destroy(execution);
}

static int enter_log(struct execution *execution, struct execution_log *log, const char *id,
                     struct error *err)
{
    if (id && execution_log_find(log, id))
        return error_set(err, ERROR_CONFLICT,
                         "the session has an execution of this operation-id already");
    if (id)
        snprintf(execution->id, sizeof execution->id, "%s", id);
    else
        random_guid(execution->id);
    execution->logged =
        (struct logged_execution){.id = execution->id, .on_dropped = on_dropped, .self = execution};
    execution_log_add(log, &execution->logged);
    return 0;
}

int execution_start(struct session *session, const struct execution_wish *wish,
                    struct execution **ret_execution, struct error *err)
{
    struct execution *execution = xcalloc(1, sizeof *execution);
    execution->obtained_us = clock_monotonic_us();
    execution->session = session;
    execution->session_is_new = wish->session_is_new;
    execution->is_command = wish->is_command;
    execution->identifier = xstrdup(session->identifier);
    memcpy(execution->session_guid, session_link_of(session)->guid, sizeof execution->session_guid);
    execution->watcher = wish->watcher;
    execution->run.stream_bytes_max = wish->stream_bytes_max;
    execution->work = (struct work){.on_turn = on_turn, .on_lost = on_lost, .self = execution};
    execution->request = *wish->request;
    *wish->request = (struct wire_execution_request){0};
    if (enter_log(execution, &session_link_of(session)->executions, wish->id, err) < 0 ||
        session_enqueue_execution(session, &execution->work, err) < 0) {
        execution_destroy(execution);
        return -1;
    }
    *ret_execution = execution;
    return 0;
}

void execution_stop(struct execution *execution)
{
    struct session *session = execution->session;
    if (!session)
        return;
    if (execution->turn_us) {
        interpreter_cancel(&session_link_of(session)->interpreter, &execution->run);
        return;
    }
    session_withdraw_execution(session, &execution->work);
    execution->run.outcome = RUN_CANCELED;
    finish(execution);
}

void execution_watch(struct execution *execution, const struct execution_watcher *watcher)
{
    execution->watcher = *watcher;
}

void execution_leave(struct execution *execution)
{
    execution->watcher = (struct execution_watcher){0};
}

struct execution *execution_find(struct session *session, const char *id)
{
    session_hold(session);
    session_release(session);
    struct logged_execution *found = execution_log_find(&session_link_of(session)->executions, id);
    return found ? found->self : NULL;
}
