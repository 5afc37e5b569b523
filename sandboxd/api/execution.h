/* execution: one program run in a session: its place in the queue, its turn, its end, and the time
 * that the session's log keeps it for those who ask later.
 *
 * Runs in: the front. Knows nothing of requests and answers: whoever starts one is told through a
 * watcher what became of it.
 */
#pragma once

#include "base/core/random.h"
#include "base/json/wire.h"
#include "sandboxd/link/execution_log.h"
#include "sandboxd/link/interpreter.h"
#include "sandboxd/pool/pool.h"

enum { EXECUTION_ID_MAX = 128 };

struct execution;

/* Who waits for it; zeroed for nobody. */
struct execution_watcher {
    /* It has its turn now, or its output has grown. May be NULL. */
    void (*on_progress)(void *self, struct execution *execution);
    /* One of the two ends it: */
    /* It is over; `run` tells how. The log keeps it a while longer, so it is whole until the return
     * and may be gone any time after. */
    void (*on_over)(void *self, struct execution *execution);
    /* It never had its turn, and is gone after the return. */
    void (*on_lost)(void *self, struct execution *execution, const struct error *err);
    void *self;
};

/* Somebody who came later; embedded in the caller's struct. Zeroed: follows none. */
struct execution_follower {
    struct execution_watcher watcher; /* all of its functions are there */
    struct execution_follower *next;
    struct execution_follower **link; /* what points here; NULL: it follows none */
};

/* Fields are for reading. */
struct execution {
    struct logged_execution logged; /* is_over */
    struct session *session;        /* held until it is over; NULL then */
    struct execution_watcher watcher;
    struct execution_follower *followers;
    struct wire_execution_request request; /* code is NULL once it is over */
    bool is_command;                       /* as in struct run */
    struct work work;
    struct run run;
    char *identifier; /* the session's */
    char id[EXECUTION_ID_MAX + 1];
    char session_guid[GUID_TEXT_MAX];
    bool session_is_new;
    int64_t obtained_us;
    int64_t turn_us; /* 0: it waits */
};

struct execution_wish {
    const char *id;                         /* NULL: a new one; else 1 to EXECUTION_ID_MAX bytes */
    struct wire_execution_request *request; /* its strings are taken: it is empty after */
    size_t stream_bytes_max;                /* as in struct run */
    bool is_command;                        /* its code is that of a command, as in struct run */
    bool session_is_new;
    struct execution_watcher watcher;
};

/* Puts it into the session's queue. ERROR_CONFLICT when the session's log has the id already,
 * ERROR_LIMIT when too many wait. The execution belongs to the log. */
int execution_start(struct session *session, const struct execution_wish *wish,
                    struct execution **ret_execution, struct error *err);

/* Takes it out of the queue, or interrupts it; nothing when it is over. on_over follows, perhaps
 * before the return. */
void execution_stop(struct execution *execution);

/* Waits for one that was started without a watcher and is not over. */
void execution_watch(struct execution *execution, const struct execution_watcher *watcher);

/* Nobody waits any more: what becomes of it is for those who ask later. */
void execution_leave(struct execution *execution);

/* One that is not over. Ends by itself with on_over or on_lost. */
void execution_follow(struct execution *execution, struct execution_follower *follower);
/* Harmless on one that follows none. */
void execution_unfollow(struct execution_follower *follower);

/* Asking counts as use of the session. NULL: not there (any more). */
struct execution *execution_find(struct session *session, const char *id);
