/* limits: resource limits of a process. The memory, task and processor limits of a
 * session are cgroups (sandboxd/broker/cgroup.h); these are the backstop. */
#pragma once

#include <stdint.h>
#include <sys/resource.h>

#include "base/core/error.h"

/* By RLIMIT_*; UINT64_MAX leaves what the machine gives. */
struct limits_guest {
    uint64_t most[RLIM_NLIMITS];
};

/* Soft and hard limits alike. */
int limits_apply(const struct limits_guest *limits, struct error *err);

/* Core files off and non-dumpable: nobody with the same id may attach or read its memory. */
int limits_protect_memory(struct error *err);
