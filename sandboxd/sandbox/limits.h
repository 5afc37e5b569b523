/* limits: resource limits and descriptors of a process. The memory, task and processor limits of a
 * session are cgroups (sandboxd/broker/cgroup.h); these are the backstop. */
#pragma once

#include <stdint.h>

#include "base/core/error.h"

/* What a guest gets: no core files, 1,024 descriptors, 256 timers and queued signals, 8 MiB of
 * stack, files up to file_bytes, no real-time priority, no POSIX message queues. */
int limits_apply_to_guest(uint64_t file_bytes, struct error *err);

/* Core files off and non-dumpable: nobody with the same id may attach or read its memory. */
int limits_protect_memory(struct error *err);

/* Closes every descriptor from `first` on. */
int limits_close_from(unsigned first, struct error *err);
