/* guard: whether a turn goes on.
 *
 * Models repeat themselves: the same program, the same closed network, the same missing package.
 * Prompts do not stop that, counting does. Pure: time is passed in, nothing is called. The turn
 * tells what happened (guard_note_*) and asks what to do (guard_before_*, guard_after_*).
 */
#pragma once

#include "agent/turn/failure.h"

enum guard_verdict {
    GUARD_GO,
    GUARD_FACT,   /* go on, and tell the model the fact */
    GUARD_ANSWER, /* tell the fact; no more tools: the model must answer with what it has */
    GUARD_STOP,   /* the turn is over */
};

enum { GUARD_TEXT_MAX = 400 };
struct guard_decision {
    enum guard_verdict verdict;
    char fact[GUARD_TEXT_MAX];   /* for the model; "": none */
    char reason[GUARD_TEXT_MAX]; /* for a person; "": there is nothing to say */
};

/* 0: no limit. */
struct guard_limits {
    unsigned model_calls;
    int64_t time_ms;
    int64_t tokens;      /* input and output, of all calls */
    double cost;         /* in the unit of the prices */
    double input_price;  /* of a million tokens */
    double output_price; /* of a million tokens */
};
enum { GUARD_MODEL_CALLS_DEFAULT = 25 };

enum { GUARD_PROGRAMS_MAX = 64, GUARD_MODULES_MAX = 16 };

/* One turn so far. Zeroed but for started_ms and network_is_open is the
 * start. */
struct guard {
    int64_t started_ms;
    unsigned model_calls;
    unsigned executions;
    int64_t input_tokens;
    int64_t output_tokens;
    bool answer_was_forced; /* the turn has followed an ANSWER */
    bool network_is_open;   /* the pool has egress: a host that cannot be reached is an error as
                               any other */

    unsigned failures[FAILURE_KINDS]; /* of each kind */
    uint64_t signature;               /* of the last failure */
    unsigned same_signature;          /* how often it came in a row */

    uint64_t programs[GUARD_PROGRAMS_MAX]; /* fingerprints; the oldest make room */
    unsigned program_count;                /* all that were run */
    bool last_failed;
    unsigned repeats; /* programs that were not run again */

    char modules[GUARD_MODULES_MAX][FAILURE_MODULE_BYTES_MAX]; /* found missing */
    unsigned module_count;
};

void guard_note_call(struct guard *guard, int64_t input_tokens, int64_t output_tokens);
void guard_note_run(struct guard *guard, uint64_t fingerprint, const struct failure *failure);
/* A program was not run because of guard_before_run. */
void guard_note_repeat(struct guard *guard);

double guard_cost(const struct guard *guard, const struct guard_limits *limits);

/* Before the model is asked. ANSWER: this is the last call. */
struct guard_decision guard_before_call(const struct guard *guard,
                                        const struct guard_limits *limits, int64_t now_ms);
/* Before a program is run; anything but GO: it is not, and the fact is its answer. */
struct guard_decision guard_before_run(const struct guard *guard, uint64_t fingerprint);
/* After a program has run and guard_note_run has been told. */
struct guard_decision guard_after_run(const struct guard *guard, const struct failure *failure);
