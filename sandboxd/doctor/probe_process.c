#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/without.h"
#include "sandboxd/doctor/probes.h"
#include "sandboxd/sandbox/capabilities.h"
#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/seccomp.h"

static int drop_capabilities(const void *argument, struct finding *finding, struct error *err)
{
    (void)argument, (void)finding;
    if (capabilities_close_bounds(err) < 0 || capabilities_keep(NULL, 0, err) < 0)
        return -1;
    return capabilities_require_none(err);
}

int probe_capabilities(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "every set can be emptied, the bounding set too");
    return outer_run(outer, drop_capabilities, NULL, finding, err);
}

int probe_no_new_privileges(const void *outer, struct finding *finding, struct error *err)
{
    (void)outer;
    finding->step = REMEDY_FILTER;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return error_from_errno(err, "PR_SET_NO_NEW_PRIVS");
    finding_describe(finding, "setuid programs gain nothing");
    return 0;
}

int probe_not_dumpable(const void *outer, struct finding *finding, struct error *err)
{
    (void)outer;
    finding->step = REMEDY_FILTER;
    if (limits_protect_memory(err) < 0)
        return -1;
    if (LAYER("dumpable") && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_set(err, ERROR_SYSTEM, "the process stays dumpable");
    finding_describe(finding, "memory is closed to processes of the same id");
    return 0;
}

/* ---- filters ---- */

int probe_filter(const void *outer, struct finding *finding, struct error *err)
{
    /* What this process needs to check the filter and to report. */
    static const int calls[] = {SYS_prctl, SYS_write, SYS_exit_group};
    static struct seccomp_filter filter;
    (void)outer;
    finding->step = REMEDY_FILTER;
    finding_describe(finding, "on every thread at once");
    seccomp_filter_list(calls, sizeof calls / sizeof *calls, &filter);
    if (seccomp_filter_load(&filter, err) < 0)
        return -1;
    return seccomp_filter_require(err);
}

/* Loads a filter that asks about one harmless call; returns the listener. */
static int open_listener(struct error *err)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof instructions / sizeof *instructions,
                                       .filter = instructions};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC |
                          SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
                      &program);
    return fd < 0 ? error_from_errno(err, "load a filter with a listener") : (int)fd;
}

int probe_notification(const void *outer, struct finding *finding, struct error *err)
{
    enum { ANSWER = 4711 };
    (void)outer;
    finding->step = REMEDY_FILTER;
    finding_describe(finding, "refused calls can be explained");
    AUTO_CLOSE int listener_fd = open_listener(err);
    if (listener_fd < 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return error_from_errno(err, "fork");
    if (pid == 0)
        _exit(syscall(SYS_getppid) == ANSWER ? 0 : 1);
    struct seccomp_notif asked = {0};
    struct seccomp_notif_resp answer = {.val = ANSWER};
    int status = 0;
    if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
        return error_from_errno(err, "receive a notification");
    answer.id = asked.id;
    if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 || waitpid(pid, &status, 0) < 0)
        return error_from_errno(err, "answer a notification");
    return status == 0 ? 0 : error_set(err, ERROR_SYSTEM, "the answer did not arrive");
}

/* ---- Landlock ---- */

/* The ABI from which on signals and abstract sockets can be confined too: Linux 6.12. */
enum { LANDLOCK_SCOPES = 6 };

int probe_landlock(const void *outer, struct finding *finding, struct error *err)
{
    const struct landlock_ruleset_attr attributes = {.handled_access_fs =
                                                         LANDLOCK_ACCESS_FS_READ_DIR};
    (void)outer;
    finding->step = REMEDY_LANDLOCK;
    int version = landlock_version();
    if (version < 0)
        return error_from_errno(err, "landlock_create_ruleset");
    AUTO_CLOSE int ruleset_fd =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset_fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
        return error_from_errno(err, "landlock_restrict_self");
    AUTO_CLOSE int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd >= 0 || errno != EACCES)
        return error_set(err, ERROR_SYSTEM, "a ruleset was taken and does not hold");
    if (version >= LANDLOCK_SCOPES)
        finding_describe(finding, "ABI %d", version);
    else
        finding_degrade(finding, "ABI %d: signals and abstract sockets are left to the namespaces",
                        version);
    return 0;
}
