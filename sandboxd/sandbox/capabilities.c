#include "sandboxd/sandbox/capabilities.h"

#include <linux/securebits.h>
#include <sys/prctl.h>

#include "base/core/without.h"

static const unsigned long LOCKED_BITS =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

int capabilities_close_bounds(struct error *err)
{
    if (cap_reset_ambient() < 0)
        return error_from_errno(err, "reset ambient capabilities");
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        if (LAYER("bounding-set") && cap_drop_bound(cap) < 0)
            return error_from_errno(err, "drop capability %d from the bounding set", cap);
    }
    /* NO_SETUID_FIXUP itself stays off: leaving id 0 must empty the sets. */
    if (prctl(PR_SET_SECUREBITS, LOCKED_BITS, 0, 0, 0) < 0)
        return error_from_errno(err, "lock the secure bits");
    return 0;
}

int capabilities_keep_across_exec(struct error *err)
{
    cap_t sets = cap_get_proc();
    int result = sets ? 0 : -1;
    for (cap_value_t cap = 0; result == 0 && cap < cap_max_bits(); cap++)
        result = cap_set_flag(sets, CAP_INHERITABLE, 1, &cap, CAP_SET);
    result = result < 0 ? result : cap_set_proc(sets);
    for (cap_value_t cap = 0; result == 0 && cap < cap_max_bits(); cap++)
        result = cap_set_ambient(cap, CAP_SET);
    if (result < 0)
        error_from_errno(err, "keep capabilities across an exec");
    cap_free(sets);
    return result;
}

int capabilities_keep(const cap_value_t *kept, int count, struct error *err)
{
    cap_t sets = cap_init();
    if (!sets)
        return error_from_errno(err, "cap_init");
    int result = 0;
    if (count > 0)
        result = cap_set_flag(sets, CAP_PERMITTED, count, kept, CAP_SET) |
                 cap_set_flag(sets, CAP_EFFECTIVE, count, kept, CAP_SET);
    if (result == 0 && LAYER("capabilities"))
        result = cap_set_proc(sets);
    if (result < 0)
        error_from_errno(err, "set capabilities");
    cap_free(sets);
    return result < 0 ? -1 : 0;
}

int capabilities_require_none(struct error *err)
{
    cap_t sets = cap_get_proc();
    cap_t none = cap_init();
    int difference = sets && none ? cap_compare(sets, none) : -1;
    cap_free(sets);
    cap_free(none);
    if (LAYER("capabilities") && difference != 0)
        return error_set(err, ERROR_DENIED, "a capability is left");
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        if (LAYER("bounding-set") && cap_get_bound(cap) != 0)
            return error_set(err, ERROR_DENIED, "capability %d is left in the bounding set", cap);
        if (cap_get_ambient(cap) > 0)
            return error_set(err, ERROR_DENIED, "capability %d is left in the ambient set", cap);
    }
    return 0;
}
