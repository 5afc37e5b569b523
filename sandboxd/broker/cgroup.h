/* cgroup: the limits of a session, on cgroup v1 and v2.
 *
 * Runs in: the broker. Below the daemon's own directory each session has a directory with the
 * memory limit and in it two leaves: `shell` (PID 1 and file helpers) and `guest` (the interpreter
 * and its children, with the task and processor limits). A kill for memory takes the guest leaf
 * only.
 */
#pragma once

#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/control/message.h"

enum { CGROUP_HIERARCHIES_MAX = 3 };

struct cgroup_tree {
    int version;                         /* 1 or 2; 0 where the layer is missing */
    int dir_fds[CGROUP_HIERARCHIES_MAX]; /* v1: memory, pids, cpu; v2: one */
    int count;
};

enum cgroup_leaf { CGROUP_SHELL = 1, CGROUP_GUEST };

/* Makes the session's directories and writes its limits; on failure nothing is left. */
int cgroup_create(const struct cgroup_tree *tree, uint64_t session,
                  const struct session_plan_message *plan, struct error *err);

/* What a process needs to get in: v1 the cgroup.procs files, v2 the directory. Yours to close. */
int cgroup_open(const struct cgroup_tree *tree, uint64_t session, enum cgroup_leaf leaf,
                int ret_fds[CGROUP_HIERARCHIES_MAX], struct error *err);

/* How many guest processes the kernel has killed for memory so far. */
uint64_t cgroup_memory_kills(const struct cgroup_tree *tree, uint64_t session);

/* What cannot be removed, since processes are still ending, is the janitor's. */
void cgroup_remove(const struct cgroup_tree *tree, uint64_t session);
