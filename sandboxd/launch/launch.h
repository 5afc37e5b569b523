/* launch: from power over the machine to the broker in a user namespace of its own.
 *
 * Runs in: sandboxd, for a few milliseconds, as the machine's root or an ordinary user. All that
 * the user has named was opened before, as that caller (sandboxd/start); this opens cgroups and the
 * lock on a range of ids, and parses nothing. The last step is an exec in the same process id, so
 * that whoever started sandboxd keeps watching the right process.
 */
#pragma once

#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/ids/range.h"

struct launch {
    /* By their place in enum inherit_fd; -1: found here, or nothing. */
    int fds[INHERIT_END_FD];
    int executable_fd; /* the broker's */
    /* The broker's: enum inherit_argument. NULL: found here. */
    const char **arguments;
    struct machine_ids ids;   /* an ordinary user's; for root they are found here */
    uint32_t allowed_missing; /* a bit for each layer that may be missing: base/core/layer.h */
};

/* Returns only on failure. */
int launch_broker(struct launch *launch, struct error *err);
