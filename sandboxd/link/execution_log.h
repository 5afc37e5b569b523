/* execution_log: the executions of one session that a client can still ask for, by their id.
 *
 * Those that wait or run are always there; of those that are over the newest are kept, within a
 * number and a sum of bytes. The log lives with the session's link and dies with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    /* Executions that are over (docs/api.md, "Limits"). */
    EXECUTION_LOG_KEPT_MAX = 100,
    /* What they hold together; the newest is kept whatever its size (our limit). */
    EXECUTION_LOG_BYTES_MAX = 32 * 1024 * 1024,
};

struct execution_log;

/* Embedded in the caller's struct. Zeroed means in no log. */
struct logged_execution {
    struct execution_log *log; /* NULL: in none */
    struct logged_execution *previous, *next;
    const char *id;                 /* borrowed for as long as it is in the log */
    void (*on_dropped)(void *self); /* it is over and in the log no longer */
    void *self;
    size_t bytes;
    bool is_over;
};

/* Zeroed: empty. */
struct execution_log {
    struct logged_execution *first; /* the oldest */
    struct logged_execution *last;
    size_t over_count;
    size_t over_bytes;
};

/* The caller has filled id, on_dropped and self. */
void execution_log_add(struct execution_log *log, struct logged_execution *entry);
/* NULL: not there (any more). */
struct logged_execution *execution_log_find(const struct execution_log *log, const char *id);
/* It is over and holds that many bytes: it is kept until newer ones push it out. One that is in no
 * log is dropped at once. */
void execution_log_settle(struct logged_execution *entry, size_t bytes);
/* Takes it out without a call. Harmless in no log. */
void execution_log_remove(struct logged_execution *entry);
/* Drops what is over; what is not is in no log from now on. */
void execution_log_clear(struct execution_log *log);
