/* join: a fork of the zygote becomes the interpreter of one session.
 *
 * Runs in: the child, between the fork and the first byte of guest code. Leaves nothing of the
 * zygote's reachable: other namespaces, another id, no capability, four descriptors, the filter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sandboxd/control/channel.h"
#include "sandboxd/control/message.h"
#include "sandboxd/sandbox/lockdown.h"
#include "sandboxd/sandbox/profile.h"

/* The control channel's number inside the interpreter: high, so that programs which count
 * descriptors see what they expect. */
enum {
    JOIN_CHANNEL_FD = 1000,
    JOIN_LOG_FD,   /* the daemon's log, until the lock-down has been checked */
    JOIN_AUDIT_FD, /* to the broker, until the listener has been handed over */
};

/* Everything in it is borrowed from the message. */
struct join {
    int channel_fd, stdout_fd, stderr_fd;
    const int *cgroup_fds; /* v1: cgroup.procs files; v2: one directory */
    int cgroup_count;
    int audit_fd; /* for the listener of a filter that asks; -1: it does not */
    int shell_pid_fd;
    int profile_fd; /* of the policy that the session has */
    struct join_message how;
};

/* Finds the parts of a FRAME_JOIN. */
int join_read(const struct channel_message *message, struct join *ret_join, struct error *err);

/* What stays the same for every join of a zygote. */
struct join_context {
    int proc_fd; /* a procfs of the machine, or -1; for the memory killer's score */
    struct namespaces_identity outsider; /* the zygote's own namespaces */
    uint64_t tid_address;
};

/* Forks into the session. Returns 0 in the child, its pid in the zygote with *ret_pid_fd set. The
 * child must call join_enter next and nothing else. */
pid_t join_fork(const struct join *join, const struct join_context *context, int *ret_pid_fd,
                struct error *err);

/* In the child: everything up to and with the checked lock-down. On failure the child must end;
 * JOIN_LOG_FD may then still be open. */
int join_enter(const struct join *join, const struct join_context *context,
               struct profile *ret_profile, struct error *err);
