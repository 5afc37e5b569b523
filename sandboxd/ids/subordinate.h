/* subordinate: ids that the machine's administrator has given to an ordinary user, subuid(5). */
#pragma once

#include <sys/types.h>

#include "base/core/error.h"
#include "sandboxd/ids/range.h"

enum {
    SUBORDINATE_IDS_MIN = 2048,   /* enough for 1,000 sessions */
    SUBORDINATE_IDS_SLICE = 4096, /* what one daemon takes: 16 of a user's share the usual range */
};

/* Takes a slice of the caller's range that no other daemon of his has, and holds it while
 * *ret_lock_fd is open. ERROR_MISSING when he has no range, or one that is too small. */
int subordinate_take(struct machine_ids *ret_ids, int *ret_lock_fd, struct error *err);

/* Has the setuid programs of the system map them for a process in a new user namespace, from 0 on
 * and in order; but 1, the front, is the caller's own id, so that his files are the front's. */
int subordinate_map(pid_t pid, const struct machine_ids *ids, struct error *err);
