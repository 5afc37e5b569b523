/* broker: the process with power over sessions. Parses frames of our own processes, nothing else.
 *
 * uid 0 of the outer user namespace, never of the machine. Starts, restarts and reaps the front,
 * the zygote, the shells and the interpreters, each held by a pidfd. Sessions outlive the front: a
 * new one gets their descriptors and what the old one stored about them.
 */
#pragma once

#include "base/core/loop.h"
#include "sandboxd/broker/cgroup.h"
#include "sandboxd/control/message.h"
#include "sandboxd/sandbox/profile.h"

/* Everything main has prepared before the first frame is read. */
struct broker_options {
    struct cgroup_tree tree;
    const int *profile_fds; /* of the policies that pools may choose: sandbox/profile.h */
    const struct profile_asking *asking_profiles; /* the same, with filters that ask */
    size_t policy_count;
    int shell_filter_fd, helper_filter_fd, egress_filter_fd;
    uint32_t ids;                                   /* known in the outer user namespace */
    const char *const *zygote_arguments[START_END]; /* NULL-terminated, its name first */
    unsigned zygote_joins; /* what one zygote may serve before it is replaced */
    const int *front_fds;  /* as a front finds them behind its channel: control/inherit.h */
    int front_fd_count;
    const char *const *front_arguments; /* NULL-terminated, its name first */
};

/* Serves until a signal asks it to stop; then everything has been ended, reaped and removed.
 * Returns the exit status of the daemon. */
int broker_run(const struct broker_options *options, struct error *err);
