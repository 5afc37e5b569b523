/* cgroup_place: where cgroup hierarchies are mounted, where this process is in them, and how
 * it gets into others. */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"

/* Opens the directory of the caller's own cgroup in the hierarchy with this controller, or in
 * version 2's (NULL); the root of the hierarchy when `at_root`. ERROR_MISSING when there is no such
 * hierarchy. */
int cgroup_place_open(const char *controller, bool at_root, struct error *err);

/* True for a directory of version 2 that has all of the controllers that sessions need. */
bool cgroup_place_has_controllers(int dir_fd);

/* True for one word of a list, as in cgroup.controllers, separated by `separator`. */
bool cgroup_place_lists(const char *list, const char *word, char separator);

/* What sessions are limited by: memory, pids, cpu. */
enum { CGROUP_PLACE_CONTROLLERS = 3 };
extern const char *const cgroup_place_controllers[CGROUP_PLACE_CONTROLLERS];

/* The directories below which a daemon makes its own: one of version 2 where its controllers are,
 * the root of the hierarchy when `at_root`; else one of version 1 for each controller. Returns the
 * version; the *ret_count descriptors are yours. */
int cgroup_place_find(bool at_root, int ret_fds[CGROUP_PLACE_CONTROLLERS], int *ret_count,
                      struct error *err);

/* Moves the caller into cgroups whose cgroup.procs files are open. */
int cgroup_place_join(const int *procs_fds, int count, struct error *err);
