/* ids: the range of the machine's ids that a daemon hands out to its sessions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/remedy/subordinate.h"

enum { IDS_RANGES = 64 };

/* Takes a range of OUTER_IDS ids that no account, no subordinate range and no other daemon uses,
 * and holds it while *ret_lock_fd is open. Ranges are tried from number *number on; it is set to
 * the one taken. */
int ids_take_range(unsigned *number, struct machine_ids *ret_ids, int *ret_lock_fd,
                   struct error *err);

/* True for an id of any daemon's range. */
bool ids_is_of_a_daemon(uint32_t id);
