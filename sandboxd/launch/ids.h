/* ids: the range of the machine's ids that a daemon hands out to its sessions. */
#pragma once

#include <stdint.h>

#include "base/core/error.h"

/* Takes a range of OUTER_IDS ids that no account, no subordinate range and no other daemon uses,
 * and holds it while *ret_lock_fd is open. *ret_first is the first id, *ret_number the range's
 * number. */
int ids_take_range(uint32_t *ret_first, unsigned *ret_number, int *ret_lock_fd, struct error *err);
