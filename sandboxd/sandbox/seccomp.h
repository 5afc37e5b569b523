/* seccomp: from a list of calls to a filter, and from a filter to a locked process.
 *
 * Compiling happens once, in the broker, before any frame is read; the result is a sealed memory
 * file that processes load as it is, without libseccomp and without allocating.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    SECCOMP_CONDITIONS_MAX = 4,
    SECCOMP_FILTER_BYTES_MAX = 64 * 1024, /* the kernel takes 4,096 instructions of 8 bytes */
};

/* (argument & mask) == value, on all 64 bits. A mask of 0xffffffff ignores garbage in the upper
 * half, which the kernel ignores too. */
struct seccomp_condition {
    unsigned argument; /* 0 to 5 */
    uint64_t mask;
    uint64_t value;
};

struct seccomp_rule {
    int number; /* of the call, x86-64 or native */
    bool allow;
    int error_number;                                            /* answered when not allowed */
    struct seccomp_condition conditions[SECCOMP_CONDITIONS_MAX]; /* all must hold */
    size_t condition_count;
    size_t group; /* the caller's own */
};

/* The number of a call by name on this architecture, or -1 when it has none. */
int seccomp_call_number(const char *name);

/* Compiles; calls that no rule matches fail with default_error; foreign architectures and x32 calls
 * kill the process. Returns a sealed memory file, close-on-exec, yours. */
int seccomp_filter_compile(const struct seccomp_rule *rules, size_t count, int default_error,
                           int *ret_fd, struct error *err);
/* The same, but calls that no rule matches are a question to whoever holds the listener. */
int seccomp_filter_compile_asking(const struct seccomp_rule *rules, size_t count, int default_error,
                                  int *ret_fd, struct error *err);

/* A filter in memory, ready to load. */
struct seccomp_filter {
    uint8_t bytes[SECCOMP_FILTER_BYTES_MAX];
    size_t length;
};
int seccomp_filter_read(int fd, struct seccomp_filter *ret_filter, struct error *err);

/* no_new_privs, then the filter, on every thread of the caller. */
int seccomp_filter_load(const struct seccomp_filter *filter, struct error *err);
/* One that asks; the listener is yours, close-on-exec. */
int seccomp_filter_load_asking(const struct seccomp_filter *filter, int *ret_listener_fd,
                               struct error *err);

/* ERROR_DENIED unless no_new_privs is set, a filter is in force and it refuses unshare(0). */
int seccomp_filter_require(struct error *err);

/* A call that waits for its error. Only registers: what they point to is the guest's, and changes
 * while one looks. */
struct seccomp_question {
    uint64_t id;
    uint64_t number;
    uint64_t arguments[6];
};
/* Never waits when the listener is readable. False when the caller has gone. */
bool seccomp_listener_read(int listener_fd, struct seccomp_question *ret_question);
void seccomp_listener_refuse(int listener_fd, uint64_t id, int error_number);
