/* learn: what a program asks of the kernel, as a policy that allows just that.
 *
 * Pure: it is told of calls and asked what to do with them. What no policy for sessions may allow
 * gets the error that the policy in force has for it, so that the program shows what it does
 * instead.
 */
#pragma once

#include "base/core/buf.h"
#include "sandboxd/policy/policy.h"
#include "sandboxd/policy/supervise.h"

enum { LEARN_CALLS_MAX = 4096, LEARN_ARGUMENTS_MAX = 3 };

/* One call, with the values of the arguments that policies look at. */
struct learn_call {
    int number;
    uint64_t values[LEARN_ARGUMENTS_MAX];
    int answer;      /* of the policy in force: 0, or an error */
    uint64_t count;  /* how often it was seen */
    const char *why; /* no policy may allow it; or NULL */
};

struct learn {
    const struct policy *policy; /* in force; borrowed */
    bool is_strict;              /* what the policy refuses is refused, not only noted */
    struct learn_call *calls;
    size_t count;
    bool *used_groups;
    uint64_t foreign;   /* calls of another architecture: they would end the process */
    uint64_t forgotten; /* beyond LEARN_CALLS_MAX */
};

void learn_start(struct learn *learn, const struct policy *policy, bool is_strict);
void learn_clear(struct learn *learn);

/* A supervise_decide; self is a struct learn. */
int learn_note(void *self, const struct supervise_call *call);

/* The smallest policy under which the same calls pass; json_decref it. */
struct json_t *learn_document(const struct learn *learn, const char *name, const char *description);

/* What was used and is refused. Returns how many lines there are. */
size_t learn_describe_refused(const struct learn *learn, struct buf *out);
/* Entries of the policy in force that nothing needed. */
void learn_describe_unused(const struct learn *learn, struct buf *out);
