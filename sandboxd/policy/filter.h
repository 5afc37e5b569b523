/* filter: from rules about system calls to a filter for the kernel. The only user of libseccomp but
 * for names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum { FILTER_CONDITIONS_MAX = 4 };

/* (argument & mask) == value, on all 64 bits. A mask of 0xffffffff ignores garbage in the upper
 * half, which the kernel ignores too. */
struct filter_condition {
    unsigned argument; /* 0 to 5 */
    uint64_t mask;
    uint64_t value;
};

struct filter_rule {
    int number; /* of the call, x86-64 or native */
    bool allow;
    int error_number;                                          /* answered when not allowed */
    struct filter_condition conditions[FILTER_CONDITIONS_MAX]; /* all must hold */
    size_t condition_count;
    size_t group; /* the caller's own */
};

/* The number of a call by name on this architecture, or -1 when it has none. */
int filter_call_number(const char *name);

/* Compiles; calls that no rule matches fail with default_error (0: are allowed); foreign
 * architectures and x32 calls kill the process. Returns a sealed memory file, close-on-exec, yours.
 */
int filter_compile(const struct filter_rule *rules, size_t count, int default_error, int *ret_fd,
                   struct error *err);
/* The same, but calls that no rule matches are a question to whoever holds the listener. */
int filter_compile_asking(const struct filter_rule *rules, size_t count, int default_error,
                          int *ret_fd, struct error *err);
