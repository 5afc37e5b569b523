#include "sandboxd/policy/floor.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sandboxd/policy/constants.h"
#include "sandboxd/policy/names.h"

/* No rule may allow these, whatever its conditions. */
static const struct {
    const char *why;
    const char *calls[12];
} never[] = {
    {"its flags lie in memory, where a filter cannot look", {"clone3"}},
    {"it reaches namespaces that are not the session's", {"unshare", "setns"}},
    {"it changes what the session sees of the machine",
     {"mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig",
      "fsmount", "fspick", "mount_setattr"}},
    {"it reaches into other processes",
     {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "kcmp"}},
    {"it opens files that no path of the session leads to", {"open_by_handle_at"}},
    {"it does what other calls do, outside the filter",
     {"io_uring_setup", "io_uring_enter", "io_uring_register"}},
    {"it loads code into the kernel or watches it",
     {"bpf", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
      "perf_event_open", "syslog"}},
    {"it suspends the kernel in the middle of a copy, which attacks on it need", {"userfaultfd"}},
    {"keys are not kept apart by namespaces", {"keyctl", "add_key", "request_key"}},
    {"it is about the machine",
     {"reboot", "swapon", "swapoff", "iopl", "ioperm", "acct", "quotactl"}},
};

/* Rules that allow these must pin an argument to one of a few values. */
static const struct {
    const char *call;
    unsigned argument;
    const char
        *mask; /* the bits that must be pinned; a constant of policies, or NULL: the lower 32 */
    uint64_t values[3];
    size_t count;
    const char *why;
} pinned[] = {
    {"clone", 0, "CLONE_REFUSED", {0}, 1, "its flags must leave out those of CLONE_REFUSED"},
    {"socket",
     0,
     NULL,
     {AF_UNIX, AF_INET, AF_INET6},
     3,
     "its domain must be AF_UNIX, AF_INET or AF_INET6: others are not kept apart by namespaces"},
    {"socketpair",
     0,
     NULL,
     {AF_UNIX, AF_INET, AF_INET6},
     3,
     "its domain must be AF_UNIX, AF_INET or AF_INET6: others are not kept apart by namespaces"},
};

/* What the check after the lock-down asks, and what no program can end without. */
static const struct {
    const char *call;
    uint64_t argument;
    int answer;
    const char *why;
} always[] = {
    {"unshare", 0, EPERM, "must be refused with EPERM: the check after the lock-down asks for it"},
    {"prctl", PR_GET_SECCOMP, 0,
     "with PR_GET_SECCOMP must be allowed: the check after the lock-down "
     "asks for it"},
    {"prctl", PR_GET_NO_NEW_PRIVS, 0,
     "with PR_GET_NO_NEW_PRIVS must be allowed: the check after the "
     "lock-down asks for it"},
    {"sendmsg", 0, 0, "must be allowed: the interpreter hands its listener over with it"},
    {"close", 0, 0, "must be allowed: the interpreter hands its listener over with it"},
    {"exit_group", 0, 0, "must be allowed: programs end with it"},
    {"rt_sigreturn", 0, 0, "must be allowed: signal handlers end with it"},
};

static bool is_pinned(const struct filter_rule *rule, size_t which)
{
    uint64_t mask = 0xFFFFFFFF;
    if (pinned[which].mask)
        constants_find(pinned[which].mask, &mask);
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct filter_condition *c = &rule->conditions[i];
        if (c->argument != pinned[which].argument || (mask & ~c->mask))
            continue;
        for (size_t j = 0; j < pinned[which].count; j++) {
            if ((c->value & mask) == pinned[which].values[j])
                return true;
        }
    }
    return false;
}

static const char *object_to_call(int number)
{
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        for (size_t j = 0; j < sizeof never[i].calls / sizeof *never[i].calls; j++) {
            const char *call = never[i].calls[j];
            if (call && filter_call_number(call) == number)
                return never[i].why;
        }
    }
    return NULL;
}

const char *floor_object(const struct filter_rule *rule)
{
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        if (filter_call_number(pinned[i].call) == rule->number && !is_pinned(rule, i))
            return pinned[i].why;
    }
    return object_to_call(rule->number);
}

int floor_check(const struct policy *policy, struct error *err)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        const char *why = rule->allow ? floor_object(rule) : NULL;
        if (why)
            return error_set(err, ERROR_INVALID,
                             "calls[%zu]: \"%s\" may not be allowed like this in a session: %s",
                             policy->groups[rule->group].index, names_call(rule->number), why);
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        const uint64_t arguments[6] = {always[i].argument};
        if (policy_answer(policy, filter_call_number(always[i].call), arguments) !=
            always[i].answer)
            return error_set(err, ERROR_INVALID, "calls: \"%s\" %s", always[i].call, always[i].why);
    }
    return 0;
}
