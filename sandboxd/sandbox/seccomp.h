/* seccomp: from a filter to a locked process.
 *
 * Filters are made once, in the broker, before any frame is read (sandboxd/policy/filter.h);
 * processes load them from a sealed memory file as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum { SECCOMP_FILTER_BYTES_MAX = 64 * 1024 }; /* the kernel takes 4,096 instructions of 8 bytes */

/* A filter in memory, ready to load. */
struct seccomp_filter {
    uint8_t bytes[SECCOMP_FILTER_BYTES_MAX];
    size_t length;
};
/* Lets these calls through, openat for reading only; others fail with EPERM. */
void seccomp_filter_list(const int *calls, size_t count, struct seccomp_filter *ret_filter);
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
