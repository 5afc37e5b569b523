#include "sandboxd/sandbox/limits.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int limits_apply_to_guest(uint64_t file_bytes, struct error *err)
{
    static const rlim_t MIB = 1024 * 1024;
    const struct {
        int what;
        struct rlimit limit;
    } limits[] = {
        {RLIMIT_CORE,
         {1, 1}}, /* not 0: the kernel would still start a program that takes core files */
        {RLIMIT_NOFILE, {1024, 1024}},
        {RLIMIT_STACK, {8 * MIB, 8 * MIB}},
        {RLIMIT_MEMLOCK, {MIB, MIB}},
        {RLIMIT_MSGQUEUE, {0, 0}},
        /* Timers and queued signals count against the machine's root in the end. */
        {RLIMIT_SIGPENDING, {256, 256}},
        {RLIMIT_RTPRIO, {0, 0}},
        {RLIMIT_NICE, {0, 0}},
        {RLIMIT_FSIZE, {file_bytes, file_bytes}},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit now, wanted = limits[i].limit;
        if (getrlimit((__rlimit_resource_t)limits[i].what, &now) < 0)
            return error_from_errno(err, "getrlimit");
        /* Hard limits only go down: a machine may start us with less than we would give. */
        if (wanted.rlim_max > now.rlim_max)
            wanted.rlim_max = now.rlim_max;
        if (wanted.rlim_cur > wanted.rlim_max)
            wanted.rlim_cur = wanted.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].what, &wanted) < 0)
            return error_from_errno(err, "setrlimit %d", limits[i].what);
    }
    return 0;
}

int limits_protect_memory(struct error *err)
{
    static const struct rlimit one = {1, 1}; /* as above */
    if (setrlimit(RLIMIT_CORE, &one) < 0)
        return error_from_errno(err, "forbid core files");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_from_errno(err, "PR_SET_DUMPABLE");
    return 0;
}

int limits_close_from(unsigned first, struct error *err)
{
    if (close_range(first, ~0U, 0) < 0)
        return error_from_errno(err, "close_range");
    return 0;
}
