#include "sandboxd/policy/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/core/cleanup.h"
#include "base/core/without.h"

int filter_call_number(const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number < 0 ? -1 : number;
}

static int add_rule(scmp_filter_ctx context, const struct filter_rule *rule, int default_error)
{
    uint32_t action = rule->allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)rule->error_number);
    /* libseccomp refuses a rule that repeats the default. */
    if (!rule->allow && rule->error_number == default_error)
        return 0;

    struct scmp_arg_cmp comparisons[FILTER_CONDITIONS_MAX];
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct filter_condition *c = &rule->conditions[i];
        comparisons[i] = SCMP_CMP64(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value);
    }
    return seccomp_rule_add_array(context, action, rule->number, (unsigned)rule->condition_count,
                                  comparisons);
}

static int seal(int fd, struct error *err)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return error_from_errno(err, "seal the filter");
    return 0;
}

static int compile(const struct filter_rule *rules, size_t count, int default_error, bool asks,
                   int *ret_fd, struct error *err)
{
    uint32_t refusal = default_error ? SCMP_ACT_ERRNO((uint32_t)default_error) : SCMP_ACT_ALLOW;
    scmp_filter_ctx context = seccomp_init(asks ? SCMP_ACT_NOTIFY : refusal);
    if (!context)
        return error_set(err, ERROR_SYSTEM, "seccomp_init failed");

    const struct scmp_arg_cmp nothing_asked = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = 0};
    int result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
                                  LAYER("architectures") ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW);
    /* A binary tree: the cost of a call is the logarithm of the list, not its length. */
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < count && result == 0; i++)
        result = add_rule(context, &rules[i], default_error);
    /* The probe of seccomp_filter_require is nobody's to answer. */
    if (asks && result == 0)
        result = seccomp_rule_add_array(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                                        &nothing_asked);

    AUTO_CLOSE int fd = memfd_create("seccomp-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (result == 0 && fd >= 0)
        result = seccomp_export_bpf(context, fd);
    seccomp_release(context);

    if (fd < 0)
        return error_from_errno(err, "memfd_create");
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "compile the filter: %s", strerror(-result));
    if (seal(fd, err) < 0)
        return -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int filter_compile(const struct filter_rule *rules, size_t count, int default_error, int *ret_fd,
                   struct error *err)
{
    return compile(rules, count, default_error, false, ret_fd, err);
}

int filter_compile_asking(const struct filter_rule *rules, size_t count, int default_error,
                          int *ret_fd, struct error *err)
{
    return compile(rules, count, default_error, true, ret_fd, err);
}
