/* profile: what a policy for sessions comes to, in the kernel's numbers.
 *
 * The broker makes one of each policy before it reads a frame, as a sealed memory file that the
 * filter follows; those who build a session and enter it read it from there.
 */
#pragma once

#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/mounts.h"
#include "sandboxd/sandbox/seccomp.h"

enum { PROFILE_ENVIRONMENT_MAX = 2048 };

/* Plain bytes. */
struct profile {
    struct limits_guest limits;
    struct mounts_choice mounts;
    struct landlock_rules landlock;
    uint64_t loopback;                         /* 1: there are sockets that could use it */
    char environment[PROFILE_ENVIRONMENT_MAX]; /* NAME=VALUE with a NUL behind each, and one more */
};

/* One whose filter asks, and what whoever holds the listener answers. */
struct profile_asking {
    int fd;
    int default_error;
};

/* ret_filter may be NULL. */
int profile_read(int fd, struct profile *ret_profile, struct seccomp_filter *ret_filter,
                 struct error *err);
