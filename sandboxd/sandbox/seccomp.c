#include "sandboxd/sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/cleanup.h"

int seccomp_call_number(const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number < 0 ? -1 : number;
}

static int add_rule(scmp_filter_ctx context, const struct seccomp_rule *rule, int default_error)
{
    uint32_t action = rule->allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)rule->error_number);
    /* libseccomp refuses a rule that repeats the default. */
    if (!rule->allow && rule->error_number == default_error)
        return 0;

    struct scmp_arg_cmp comparisons[SECCOMP_CONDITIONS_MAX];
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct seccomp_condition *c = &rule->conditions[i];
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

static int compile(const struct seccomp_rule *rules, size_t count, int default_error, bool asks,
                   int *ret_fd, struct error *err)
{
    uint32_t refusal = SCMP_ACT_ERRNO((uint32_t)default_error);
    scmp_filter_ctx context = seccomp_init(asks ? SCMP_ACT_NOTIFY : refusal);
    if (!context)
        return error_set(err, ERROR_SYSTEM, "seccomp_init failed");

    int result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* A binary tree: the cost of a call is the logarithm of the list, not its length. */
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < count && result == 0; i++)
        result = add_rule(context, &rules[i], default_error);
    /* The probe of seccomp_filter_require is nobody's to answer. */
    if (asks && result == 0)
        result = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                                  SCMP_A0_64(SCMP_CMP_EQ, 0));

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

int seccomp_filter_compile(const struct seccomp_rule *rules, size_t count, int default_error,
                           int *ret_fd, struct error *err)
{
    return compile(rules, count, default_error, false, ret_fd, err);
}

int seccomp_filter_compile_asking(const struct seccomp_rule *rules, size_t count, int default_error,
                                  int *ret_fd, struct error *err)
{
    return compile(rules, count, default_error, true, ret_fd, err);
}

int seccomp_filter_read(int fd, struct seccomp_filter *ret_filter, struct error *err)
{
    ssize_t length = pread(fd, ret_filter->bytes, sizeof ret_filter->bytes, 0);
    if (length < 0)
        return error_from_errno(err, "read the filter");
    if (length == 0 || length % (ssize_t)sizeof(struct sock_filter) != 0 ||
        length == (ssize_t)sizeof ret_filter->bytes)
        return error_set(err, ERROR_SYSTEM, "a filter of %zd bytes", length);
    ret_filter->length = (size_t)length;
    return 0;
}

static long load(const struct seccomp_filter *filter, unsigned flags)
{
    struct sock_fprog program = {
        .len = (unsigned short)(filter->length / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(uintptr_t)filter->bytes,
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_TSYNC,
                   &program);
}

int seccomp_filter_load(const struct seccomp_filter *filter, struct error *err)
{
    if (load(filter, 0) != 0)
        return error_from_errno(err, "load the filter");
    return 0;
}

int seccomp_filter_load_asking(const struct seccomp_filter *filter, int *ret_listener_fd,
                               struct error *err)
{
    /* A thread that cannot follow is an error here and not its number. */
    *ret_listener_fd =
        (int)load(filter, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
    if (*ret_listener_fd < 0)
        return error_from_errno(err, "load the filter that asks");
    return 0;
}

bool seccomp_listener_read(int listener_fd, struct seccomp_question *ret_question)
{
    struct seccomp_notif question = {0};
    if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
        return false;
    ret_question->id = question.id;
    ret_question->number = (uint32_t)question.data.nr;
    memcpy(ret_question->arguments, question.data.args, sizeof ret_question->arguments);
    return true;
}

void seccomp_listener_refuse(int listener_fd, uint64_t id, int error_number)
{
    /* Fails when the caller has been killed or interrupted meanwhile: then nobody waits. */
    struct seccomp_notif_resp answer = {.id = id, .error = -error_number};
    ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

int seccomp_filter_require(struct error *err)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return error_set(err, ERROR_DENIED, "no_new_privs is not set");
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
        return error_set(err, ERROR_DENIED, "no system call filter is in force");
    /* Asks for nothing, so that only a filter refuses it. */
    if (unshare(0) == 0 || errno != EPERM)
        return error_set(err, ERROR_DENIED, "the filter does not refuse unshare");
    return 0;
}
