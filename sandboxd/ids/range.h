/* range: ids that nobody on this machine uses, for a daemon that root starts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"

/* High enough that nobody gives them to people, low enough for 32 bits: 64 daemons on one machine.
 */
enum { RANGE_COUNT = 64, RANGE_FIRST_ID = 1900000000, RANGE_IDS = 65536 };

/* Ids of the machine that a daemon uses. */
struct machine_ids {
    uint32_t first_uid, first_gid;
    uint32_t count;
};

/* Takes a range that no account, no subordinate range and no other daemon uses, and holds it while
 * *ret_lock_fd is open. Ranges are tried from number *number on; it is set to the one taken. */
int range_take(unsigned *number, struct machine_ids *ret_ids, int *ret_lock_fd, struct error *err);

/* True for an id of any daemon's range. */
bool range_is_of_a_daemon(uint32_t id);
