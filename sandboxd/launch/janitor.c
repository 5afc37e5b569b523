#include "sandboxd/launch/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "base/core/without.h"
#include "sandboxd/sandbox/capabilities.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/seccomp.h"

/* How long it goes on trying while processes are still ending. */
enum { JANITOR_TRIES = 500, JANITOR_PAUSE_NS = 20000000 };

static const int calls[] = {
    SYS_read,     SYS_openat, SYS_getdents64,      SYS_newfstatat, SYS_fstat,
    SYS_unlinkat, SYS_close,  SYS_fcntl,           SYS_prctl,      SYS_brk,
    SYS_mmap,     SYS_munmap, SYS_clock_nanosleep, SYS_exit_group, SYS_rt_sigreturn};

/* The machine's root with one capability: the roots of cgroup trees are mode 0555, so that
 * ownership alone does not do. */
static int lock_down(struct error *err)
{
    static const cap_value_t kept[] = {CAP_DAC_OVERRIDE};
    static struct seccomp_filter filter;
    seccomp_filter_list(calls, sizeof calls / sizeof *calls, &filter);
    if (capabilities_close_bounds(err) < 0 || capabilities_keep(kept, 1, err) < 0 ||
        limits_protect_memory(err) < 0 ||
        (LAYER("seccomp-janitor") && seccomp_filter_load(&filter, err) < 0))
        return -1;
    return LAYER("seccomp-janitor") ? seccomp_filter_require(err) : 0;
}

/* Everything else that launch has opened, the listening socket above all, is not its own. The lock
 * stays open as long as it runs. */
static int keep_only(struct cgroups *cgroups, int *wait_fd, int lock_fd, struct error *err)
{
    int kept[CGROUPS_MAX + 2] = {*wait_fd, lock_fd};
    int count = 2;
    for (int i = 0; i < cgroups->count; i++)
        kept[count++] = cgroups->parent_fds[i];
    if (descriptors_place(kept, count, err) < 0)
        return -1;
    *wait_fd = DESCRIPTORS_FIRST;
    for (int i = 0; i < cgroups->count; i++)
        cgroups->parent_fds[i] = DESCRIPTORS_FIRST + 2 + i;
    return descriptors_close_from((unsigned)(DESCRIPTORS_FIRST + count), err);
}

static _Noreturn void run(struct cgroups cgroups, int wait_fd, int lock_fd)
{
    static const struct timespec pause = {.tv_nsec = JANITOR_PAUSE_NS};
    struct error err = {0};
    char byte;
    prctl(PR_SET_NAME, "sandboxd-janitor");
    setsid();
    if (keep_only(&cgroups, &wait_fd, lock_fd, &err) < 0 || lock_down(&err) < 0) {
        log_error("janitor.failed", "message=\"%s\"", err.message);
        _exit(1);
    }
    while (read(wait_fd, &byte, 1) < 0 && errno == EINTR) {
        /* nothing is ever written: only the end counts */
    }
    for (int i = 0; !cgroups_remove(&cgroups) && i < JANITOR_TRIES; i++)
        nanosleep(&pause, NULL);
    _exit(0);
}

int janitor_start(const struct cgroups *cgroups, int lock_fd, int *ret_fd, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        return error_from_errno(err, "fork the janitor");
    if (pid == 0) {
        close(ends[1]);
        run(*cgroups, ends[0], lock_fd);
    }
    close(ends[0]);
    *ret_fd = ends[1];
    return 0;
}
