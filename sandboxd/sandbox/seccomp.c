#include "sandboxd/sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/without.h"

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(value, when, otherwise)                                                                 \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), when, otherwise)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)

static void add(struct seccomp_filter *filter, const struct sock_filter *instructions, size_t bytes)
{
    memcpy(filter->bytes + filter->length, instructions, bytes);
    filter->length += bytes;
}

void seccomp_filter_list(const int *calls, size_t count, struct seccomp_filter *ret_filter)
{
    enum { CHANGES = O_ACCMODE | O_CREAT | O_TRUNC };
    static const struct sock_filter refuse[] = {ANSWER(SECCOMP_RET_ERRNO | EPERM)};
    static const struct sock_filter begin[] = {
        LOAD(arch),
        IS(NATIVE_ARCHITECTURE, 1, 0),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        IS(SYS_openat, 0, 4),
        LOAD(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CHANGES, 0, 1),
        ANSWER(SECCOMP_RET_ERRNO | EPERM),
        LOAD(nr),
    };
    ret_filter->length = 0;
    add(ret_filter, begin, sizeof begin);
    for (size_t i = 0; i < count; i++) {
        const struct sock_filter call[] = {IS(calls[i], 0, 1), ANSWER(SECCOMP_RET_ALLOW)};
        add(ret_filter, call, sizeof call);
    }
    add(ret_filter, refuse, sizeof refuse);
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
    if (LAYER("no-new-privileges") && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
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
