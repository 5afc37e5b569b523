/* janitor: removes the daemon's cgroup directories once the daemon has gone, however it went.
 *
 * Only the machine's root may remove them, and the daemon has given that up. So a small process
 * stays behind with one capability (CAP_DAC_OVERRIDE) and a filter of a dozen calls; it waits for a
 * pipe to close and reads nothing else (docs/decisions/0003-cgroup-janitor.md).
 * It holds the lock on the range of ids as long as it works, so that no daemon takes the number
 * over.
 */
#pragma once

#include "sandboxd/launch/cgroups.h"

/* Forks it. lock_fd is the lock on the range of ids. *ret_fd is the write end to hand to the
 * broker: when its last copy closes, the janitor acts. */
int janitor_start(const struct cgroups *cgroups, int lock_fd, int *ret_fd, struct error *err);
