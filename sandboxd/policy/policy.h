/* policy: what a process may ask of the kernel, from a document (policy/README.md) to rules.
 *
 * Runs in: the broker, before the first frame, and in sandboxd-admin. The documents are ours or the
 * administrator's and are read strictly: a mistake is an error that names file, line and JSON path.
 */
#pragma once

#include "sandboxd/policy/filter.h"
#include "sandboxd/sandbox/profile.h"

enum { POLICY_BYTES_MAX = 256 * 1024, POLICY_RULES_MAX = 2048, POLICY_GROUPS_MAX = 1024 };
enum { POLICY_NAME_MAX = 32 }; /* bytes of a name, the last NUL included */

enum policy_kind {
    POLICY_SESSION, /* guest code: a pool may choose it */
    POLICY_PROCESS, /* one of our own processes */
};

struct json_t;

/* One entry of "calls". */
struct policy_group {
    char document[POLICY_NAME_MAX]; /* the policy that it comes from */
    size_t index;                   /* its number there */
    struct json_t *entry;
};

struct policy {
    char name[POLICY_NAME_MAX];
    char *description;
    enum policy_kind kind;
    int default_error;         /* of calls without a rule */
    struct filter_rule *rules; /* each with the number of its group; at most one of those that
                                   match a call differs from the others in its answer */
    size_t count;
    struct policy_group *groups;
    size_t group_count;
    struct json_t *settings; /* what else is said, by section: settings.h */
    struct profile profile;  /* the same in numbers; for sessions */
};

/* Where the policy is found that another extends. ERROR_MISSING: there is none of that name;
 * ERROR_CONFLICT: it may not be extended here. */
struct policy_parents {
    int (*load)(void *self, const char *name, struct policy *ret_policy, struct error *err);
    void *self;
};

/* label names the text in messages: a file. parents may be NULL: then "extends" finds nothing. */
int policy_read(const char *text, size_t length, const char *label,
                const struct policy_parents *parents, struct policy *ret_policy, struct error *err);
void policy_clear(struct policy *policy);

/* The rule that matches, or NULL. Arguments that a call does not have are 0. */
const struct filter_rule *policy_find(const struct policy *policy, int number,
                                      const uint64_t arguments[6]);
/* 0 where the call is let through, else its error. */
int policy_answer(const struct policy *policy, int number, const uint64_t arguments[6]);

const char *policy_why(const struct policy *policy, const struct filter_rule *rule);

/* A sealed memory file: a filter, and for sessions the profile in front of it. */
int policy_compile(const struct policy *policy, int *ret_fd, struct error *err);
/* To a filter that asks about what it refuses with the default's error. */
int policy_compile_asking(const struct policy *policy, int *ret_fd, struct error *err);
