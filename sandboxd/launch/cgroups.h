/* cgroups: the daemon's own part of the cgroup tree.
 *
 * Made with the machine's root and handed over to the id that the broker will have; cgroup v2 where
 * its controllers are, else v1.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/core/cgroup_place.h"
#include "base/core/error.h"

enum { CGROUPS_MAX = CGROUP_PLACE_CONTROLLERS, CGROUPS_NAME_MAX = 32 };

struct cgroups {
    int version;
    int count;
    int parent_fds[CGROUPS_MAX]; /* the directories that hold ours; for the janitor */
    int own_fds[CGROUPS_MAX];    /* ours; v1: memory, pids, cpu */
    char name[CGROUPS_NAME_MAX]; /* of ours, in each parent */
};

/* Removes what a daemon that was killed left under this number, makes the directories and gives
 * them to `owner`. *cgroups is zero at first. is_delegated: an ordinary user does this, in a part
 * of the tree that is his. ERROR_CONFLICT when a living daemon has the number: one in a container
 * that shares the tree with us, but not our locks. */
int cgroups_make(unsigned number, uid_t owner, bool is_delegated, struct cgroups *cgroups,
                 struct error *err);

/* Moves the caller into a leaf of ours: it marks the tree as in use, and with v2 only a process
 * inside may place others. Then, with v2, switches the controllers on. */
int cgroups_enter(const struct cgroups *cgroups, struct error *err);

/* Removes the directories below ours, then ours. True when nothing is left. */
bool cgroups_remove(const struct cgroups *cgroups);
