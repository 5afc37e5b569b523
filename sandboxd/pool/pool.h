/* pool: the sessions of one session pool: who gets one, what is made ahead, what has cooled down.
 *
 * Runs in: the front. Pure logic: time comes from a clock, everything else from the broker seam, so
 * the tests run it by hand. docs/api.md, "Session lifecycle", has the rules.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/address.h"
#include "base/core/clock.h"
#include "base/core/error.h"
#include "sandboxd/pool/session.h"

enum {
    POOL_NAME_MAX = 64,
    POOL_KEY_MAX = 319,
    /* A ready instance that was taken is replaced this much later, so that making the next one does
     * not compete with the request that took it. */
    POOL_REPLACE_MS = 10,
    /* After a ready instance could not start: the first pause, doubled each time, and the longest.
     */
    POOL_RETRY_MS = 500,
    POOL_RETRY_MS_MAX = 30000,
    /* The broker hears of a session's use when what it knows is older than this. */
    POOL_STORE_MS = 1000,
    /* After a restart of the front a session is kept at least this long, or for its cooldown if
     * that is shorter: what it was used for meanwhile is not known. */
    POOL_ADOPTED_MS = 60000,
};

/* The network of its sessions. */
enum { POOL_EGRESS_RANGES_MAX = 32 }; /* our limit */
struct pool_egress {
    bool enabled;
    bool names;                                          /* are resolved */
    uint32_t range_count;                                /* 0: the public internet */
    struct address_range ranges[POOL_EGRESS_RANGES_MAX]; /* else these only */
};

struct pool_settings {
    char name[POOL_NAME_MAX + 1]; /* for people */
    char key[POOL_KEY_MAX + 1];   /* no two pools have the same; tells a later front whose sessions
                                     it finds */
    unsigned max_concurrent_sessions;
    unsigned ready_session_instances;
    int64_t cooldown_ms;
    int64_t execution_timeout_ms;
    bool start_exec; /* each interpreter from a process of its own */
    bool preload;    /* modules are imported ahead */
    /* what each session may use */
    uint64_t session_memory_bytes;
    uint64_t data_bytes;
    uint32_t data_inodes;
    uint32_t session_tasks;
    uint32_t cpu_percent;
    uint8_t policy; /* by the broker's number */
    bool audit;     /* what they are refused is told */
    struct pool_egress egress;
};

/* What a pool asks of the world. None of these fails: bad news arrives later as session_on_... */
struct pool_broker {
    /* Answered by session_on_started and _interpreter_idle, or by session_on_ended. */
    void (*start)(void *self, struct session *session);
    /* What must be known of the session after a restart of the front has changed. */
    void (*store)(void *self, struct session *session);
    /* A fresh interpreter; answered by session_on_interpreter_idle, _gone or session_on_ended. */
    void (*join)(void *self, struct session *session);
    /* Answered by session_on_ended. */
    void (*remove)(void *self, struct session *session);
    /* Call pool_wake at this time; a later call with an earlier time counts. */
    void (*wake)(void *self, struct pool *pool, int64_t at_ms);
    void *self;
};

struct session_list {
    struct session *first;
    struct session *last;
};

/* Fields are for reading. */
struct pool {
    struct pool_settings settings;
    struct pool_broker broker;
    struct clock clock;
    struct table by_identifier;
    struct session_list ready; /* without identifier, starting or idle */
    struct session_list quiet; /* with identifier and nobody using it; the first expires first */
    unsigned ready_count;
    unsigned allocated_count;
    unsigned session_count; /* in memory: those too that are being removed or are held */
    void *owner;            /* whoever made it: for their own use */
    bool settled;           /* its ready instances have all been there once */
    bool closing;           /* no more ready instances are made */
    uint64_t last_order;    /* of the session that was created last */
    int64_t wake_at_ms;     /* asked for; -1: not */
    int64_t retry_at_ms;
    int64_t retry_ms;
};

/* returned; nothing is started before pool_wake */
struct pool *pool_create(const struct pool_settings *settings, const struct pool_broker *broker,
                         struct clock clock);
/* Frees every session that nobody holds; the broker is told nothing. */
void pool_destroy(struct pool *pool);

/* New settings: sessions that run keep the limits they were started with, ready instances are made
 * anew where limits differ, the cooldown applies at once. The key stays. */
void pool_update(struct pool *pool, const struct pool_settings *settings);
/* Removes every session for good; no new one is allocated. The pool may be destroyed when
 * session_count is 0; wake is asked for then. */
void pool_close(struct pool *pool);

/* Removes what has cooled down and makes the ready instances that are missing. */
void pool_wake(struct pool *pool);

/* The session of that name, or NULL. */
struct session *pool_find_session(const struct pool *pool, const char *identifier);
/* The session of that name, allocated now if there is none; *ret_new tells which. ERROR_LIMIT when
 * the pool is full, ERROR_MISSING when it is closed. */
int pool_obtain_session(struct pool *pool, const char *identifier, struct session **ret_session,
                        bool *ret_new, struct error *err);
/* A session that an earlier front left, with its descriptors; identifier is NULL for a ready
 * instance. Its interpreter counts as not ready yet. */
struct session *pool_adopt_session(struct pool *pool, const char *identifier,
                                   const struct session_record *record);
/* The sessions that have an identifier, in the order of their creation. The array is returned; it
 * is valid until a session ends. */
struct session **pool_list_sessions(const struct pool *pool, size_t *ret_count);
/* When it is removed if nobody uses it from now on. */
int64_t pool_expiry_of_session(const struct session *session);
/* Its identifier is free at once; executions that wait are lost. */
void pool_remove_session(struct session *session);

/* Used by session.c. */
void pool_store_session(struct session *session);
/* A request for it begins or ends. */
void pool_note_use(struct session *session);
void pool_note_ready(struct session *session);
void pool_note_failed_start(struct pool *pool);
void pool_forget_session(struct session *session);
