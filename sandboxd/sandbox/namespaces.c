#include "sandboxd/sandbox/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/without.h"

#define KIND(name, flag) name, LAYER(name "-namespace") ? (flag) : 0
static const struct {
    const char *name;
    uint64_t flag;
    enum layer layer; /* LAYERS_MAX: never missing */
} kinds[NAMESPACES_OF_A_SESSION_MAX] = {
    {KIND("user", CLONE_NEWUSER), LAYERS_MAX},
    {KIND("pid", CLONE_NEWPID), LAYERS_MAX},
    {KIND("mnt", CLONE_NEWNS), LAYERS_MAX},
    {KIND("net", CLONE_NEWNET), LAYERS_MAX},
    {KIND("ipc", CLONE_NEWIPC), LAYERS_MAX},
    {KIND("uts", CLONE_NEWUTS), LAYER_UTS},
    {KIND("cgroup", CLONE_NEWCGROUP), LAYER_CGROUP_NAMESPACE},
};

uint64_t namespaces_of_a_session(void)
{
    uint64_t flags = 0;
    for (int i = 0; i < NAMESPACES_OF_A_SESSION_MAX; i++)
        flags |= layer_is_missing(kinds[i].layer) ? 0 : kinds[i].flag;
    return flags;
}

pid_t namespaces_clone(const struct namespaces_clone *how, int *ret_pid_fd, struct error *err)
{
    int pid_fd = -1;
    struct clone_args args = {
        .flags = how->flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pid_fd,
        /* clone3 wants 0 here with CLONE_PARENT: the parent's own signal is taken then. */
        .exit_signal = how->flags & CLONE_PARENT ? 0 : SIGCHLD,
    };
    if (how->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)how->cgroup_fd;
    }
    if (how->tid_address) {
        args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
        args.child_tid = how->tid_address;
    }

    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0)
        return error_from_errno(err, "clone3");
    if (pid > 0)
        *ret_pid_fd = pid_fd;
    return (pid_t)pid;
}

uint64_t namespaces_tid_address(void)
{
    uint64_t address = 0;
    return prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0) == 0 ? address : 0;
}

int namespaces_join_for_children(int pid_fd, struct error *err)
{
    if (setns(pid_fd, CLONE_NEWPID) < 0)
        return error_from_errno(err, "setns to the pid namespace");
    return 0;
}

int namespaces_join(int pid_fd, struct error *err)
{
    if (setns(pid_fd, (int)(namespaces_of_a_session() & ~(uint64_t)CLONE_NEWPID)) < 0)
        return error_from_errno(err, "setns to the session");
    return 0;
}

int namespaces_signal(int pid_fd, int signal, struct error *err)
{
    if (syscall(SYS_pidfd_send_signal, pid_fd, signal, NULL, 0) < 0)
        return error_from_errno(err, "pidfd_send_signal");
    return 0;
}

int namespaces_reap(int pid_fd, bool wait, int *ret_status, struct error *err)
{
    siginfo_t info = {0};
    int result;
    do {
        result = waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED | __WALL | (wait ? 0 : WNOHANG));
    } while (result < 0 && errno == EINTR);
    if (result < 0)
        return error_from_errno(err, "waitid");
    if (info.si_pid == 0)
        return 0;

    bool exited = info.si_code == CLD_EXITED;
    *ret_status = exited ? (info.si_status & 0xFF) << 8 : info.si_status & 0x7F;
    return 1;
}

int namespaces_identify(int proc_fd, struct namespaces_identity *ret_identity, struct error *err)
{
    for (int i = 0; i < NAMESPACES_OF_A_SESSION_MAX; i++) {
        char path[32];
        struct stat st = {0};
        snprintf(path, sizeof path, "self/ns/%s", kinds[i].name);
        if (!layer_is_missing(kinds[i].layer) && fstatat(proc_fd, path, &st, 0) < 0)
            return error_from_errno(err, "look at %s", path);
        ret_identity->inodes[i] = st.st_ino;
    }
    return 0;
}

int namespaces_require_distinct(const struct namespaces_identity *a,
                                const struct namespaces_identity *b, struct error *err)
{
    for (int i = 0; i < NAMESPACES_OF_A_SESSION_MAX; i++) {
        if (kinds[i].flag && !layer_is_missing(kinds[i].layer) && a->inodes[i] == b->inodes[i])
            return error_set(err, ERROR_DENIED, "the %s namespace is not the session's own",
                             kinds[i].name);
    }
    return 0;
}
