/* session: one isolated place to run code, and what waits for it.
 *
 * Runs in: the front. Pure logic: no descriptor, no system call. The front tells it what happened
 * (session_on_...), it says whose turn it is and asks the broker seam of its pool for the rest.
 *
 *     STARTING --ready--> IDLE <--> BUSY        an execution runs
 *         |                 |        |
 *         +------ interpreter gone --+--> RECOVERING --ready--> IDLE
 *     any state --pool_remove_session--> REMOVING --gone--> freed
 *
 * A session that somebody holds stays in memory after its end; session_has_ended tells.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/pool/table.h"

struct pool;
struct session;

enum session_state {
    SESSION_STARTING,   /* asked for; its interpreter is not ready yet */
    SESSION_IDLE,       /* its interpreter waits for code */
    SESSION_BUSY,       /* an execution runs */
    SESSION_RECOVERING, /* its interpreter is gone, its files are kept */
    SESSION_REMOVING,   /* told to go: its identifier means another session from now on */
    SESSION_ENDED,      /* nothing of it is left but this struct */
};

enum {
    /* Executions that wait for one session; each parks a connection (our limit). */
    SESSION_QUEUE_MAX = 100,
};

/* Something that waits for its turn in a session; embedded in the caller's struct. */
struct work {
    /* Your turn. The session is held for you. */
    void (*on_turn)(void *self, struct session *session);
    /* It will never be your turn: the session could not start, was removed or has ended. The hold
     * is gone already. */
    void (*on_lost)(void *self, const struct error *err);
    void *self;
    struct work *next;
};

struct work_queue {
    struct work *first;
    struct work *last;
    unsigned count;
};

/* Place in one of the pool's two lists: ready instances, and sessions that may expire. */
struct session_place {
    struct session *previous;
    struct session *next;
    bool listed;
};

/* What is told of a session's life; it outlives a restart of the front. Times are of the pool's
 * clock. */
struct session_record {
    uint64_t order;        /* of creation among the pool's sessions, from 1 */
    int64_t created_at_ms; /* when it got its identifier */
    int64_t used_at_ms;    /* when a request for it last began or ended */
};

/* Fields are for reading; they change through the functions below. */
struct session {
    struct pool *pool;
    void *link;       /* the front's side of it */
    char *identifier; /* NULL: a ready instance */
    enum session_state state;
    bool has_shell; /* files can be reached */
    bool in_turn;   /* an execution has its turn, which is one of the holds */
    bool joining;   /* an interpreter was asked for and is not ready yet */
    unsigned holds; /* executions and transfers under way or waiting */
    struct work_queue executions;
    struct work_queue transfers;
    struct session_record record; /* zero for a ready instance */
    int64_t stored_at_ms;         /* when the broker was last told of it */
    int64_t expires_at_ms;        /* while listed in the pool's `quiet` */
    struct session_place place;
    struct table_node node;
};

/* Queues an execution; its turn comes when everything before it is done. ERROR_LIMIT beyond
 * SESSION_QUEUE_MAX. The turn ends with session_on_interpreter_idle or _gone. */
int session_enqueue_execution(struct session *session, struct work *work, struct error *err);
/* Takes back an execution that still waits. */
void session_withdraw_execution(struct session *session, struct work *work);
/* Queues a file operation; its turn comes as soon as the session has a shell, beside executions.
 * The caller ends it with session_release. */
void session_enqueue_transfer(struct session *session, struct work *work);

/* Keeps the session from expiring and its struct from being freed. */
void session_hold(struct session *session);
/* Ends one hold; the cooldown starts again when it was the last. */
void session_release(struct session *session);

bool session_has_ended(const struct session *session);

/* Keeps the struct from being freed meanwhile, which is no use of the session. */
void session_begin_guard(struct session *session);
void session_end_guard(struct session *session);

/* Used by pool.c: the execution that had its turn, if any, has it no longer. */
void session_end_turn(struct session *session);

/* Its descriptors have arrived. */
void session_on_started(struct session *session);
/* Its interpreter waits for code: after its start, after a join, after an execution. */
void session_on_interpreter_idle(struct session *session);
/* Its interpreter has ended; `why` is told to an execution that waited for a fresh one in vain. */
void session_on_interpreter_gone(struct session *session, const struct error *why);
/* It could not start, or everything of it has ended. May free it. */
void session_on_ended(struct session *session, const struct error *why);
