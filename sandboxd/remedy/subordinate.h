/* subordinate: ids that the machine's administrator has given to an ordinary user, subuid(5). */
#pragma once

#include <stdint.h>

#include "base/core/error.h"

#define SUBORDINATE_UID_TOOL "/usr/bin/newuidmap"
#define SUBORDINATE_GID_TOOL "/usr/bin/newgidmap"

enum {
    SUBORDINATE_IDS_MIN = 2048,   /* enough for 1,000 sessions */
    SUBORDINATE_IDS_SLICE = 4096, /* what one daemon takes: 16 of a user's share the usual range */
};

/* Ids of the machine that a daemon uses. */
struct machine_ids {
    uint32_t first_uid, first_gid;
    uint32_t count;
};

/* Takes a slice of the caller's range that no other daemon of his has, and holds it while
 * *ret_lock_fd is open. ERROR_MISSING when he has no range, or one that is too small. */
int subordinate_take(struct machine_ids *ret_ids, int *ret_lock_fd, struct error *err);
