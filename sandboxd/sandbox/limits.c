#include "sandboxd/sandbox/limits.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/core/without.h"

int limits_apply(const struct limits_guest *limits, struct error *err)
{
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)i, &now) < 0)
            return error_from_errno(err, "getrlimit");
        /* Hard limits only go down: a machine may start us with less than we would give. */
        rlim_t most = limits->most[i] < now.rlim_max ? limits->most[i] : now.rlim_max;
        struct rlimit wanted = {most, most};
        if (limits->most[i] != UINT64_MAX && setrlimit((__rlimit_resource_t)i, &wanted) < 0)
            return error_from_errno(err, "setrlimit %d", i);
    }
    return 0;
}

int limits_protect_memory(struct error *err)
{
    /* Not 0: the kernel would still start a program that takes core files. */
    static const struct rlimit one = {1, 1};
    if (LAYER("core-files") && setrlimit(RLIMIT_CORE, &one) < 0)
        return error_from_errno(err, "forbid core files");
    if (LAYER("dumpable") && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_from_errno(err, "PR_SET_DUMPABLE");
    return 0;
}
