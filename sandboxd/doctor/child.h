/* child: a step of a probe in a process of its own, with a time limit.
 *
 * What a probe does to itself, or what the kernel does to it, ends with that process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandboxd/doctor/finding.h"

/* Returns 0, or -1 with *err set. *finding is what the caller of child_run gets. */
typedef int (*child_act)(const void *argument, struct finding *finding, struct error *err);

struct child_how {
    uint64_t flags; /* CLONE_NEW* */
    /* Writes the maps of the child's new user namespace; NULL without CLONE_NEWUSER. */
    int (*map)(const void *self, pid_t pid, struct finding *finding, struct error *err);
    const void *self;
    bool becomes_root; /* takes id 0 of its namespace; only one id is mapped else */
};

/* how may be NULL for a plain fork. Returns what act returned, or -1 when the child could not be
 * started, died, or did not end in time. *finding goes to the child and comes back. */
int child_run(const struct child_how *how, child_act act, const void *argument,
              struct finding *finding, struct error *err);

/* A child in these namespaces that waits to be killed. Its pid, or -1. */
pid_t child_start_waiting(uint64_t flags, int *ret_pid_fd, struct error *err);
