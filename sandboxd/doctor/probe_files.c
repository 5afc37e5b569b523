#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/doctor/probes.h"
#include "sandboxd/sandbox/mounts.h"

/* ---- the root of a session ---- */

static int enter_root(const void *argument, struct finding *finding, struct error *err)
{
    enum { BYTES = 1024 * 1024, INODES = 64 };
    static const struct mounts_choice choice = {
        .scratch = {{BYTES, INODES, 0}, {BYTES, INODES, 0}, {BYTES, INODES, 0}},
        .devices = (1U << MOUNTS_DEVICES_MAX) - 1,
    };
    const struct mounts_plan plan = {.choice = &choice, .data_bytes = BYTES, .data_inodes = INODES};
    (void)argument;
    finding->step = REMEDY_MOUNTS;
    return mounts_enter(&plan, err) < 0 ? -1 : mounts_require_contained(err);
}

static int prepare_root(const void *outer, struct finding *finding, struct error *err)
{
    static const char *const paths[] = {"/usr", "/bin", "/lib", "/lib64"};
    AUTO_CLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int own_fd = -1;
    finding->step = REMEDY_MOUNTS;
    if (mounts_unshare(root_fd, &own_fd, err) < 0 ||
        mounts_prepare(paths, sizeof paths / sizeof *paths, err) < 0)
        return -1;
    return outer_run_session(outer, CLONE_NEWNS, enter_root, NULL, finding, err);
}

int probe_root(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "/usr read-only, devices, pivot_root");
    return outer_run(outer, prepare_root, outer, finding, err);
}

/* ---- procfs ---- */

static int mount_procfs(const void *argument, struct finding *finding, struct error *err)
{
    (void)argument;
    finding->step = REMEDY_MOUNTS;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return error_from_errno(err, "make mounts private");
    finding->step = REMEDY_PROCFS;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
              "subset=pid,hidepid=invisible") < 0)
        return error_from_errno(err, "mount procfs");
    if (access("/proc/self/ns/user", F_OK) < 0 || access("/proc/sys", F_OK) == 0)
        return error_set(err, ERROR_SYSTEM, "the procfs shows more than processes");
    return 0;
}

static int make_procfs(const void *outer, struct finding *finding, struct error *err)
{
    return outer_run_session(outer, CLONE_NEWPID | CLONE_NEWNS, mount_procfs, NULL, finding, err);
}

int probe_procfs(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "subset=pid, hidepid=invisible, read-only");
    return outer_run(outer, make_procfs, outer, finding, err);
}

/* ---- quotas ---- */

enum { QUOTA_BYTES = 1024 * 1024, QUOTA_INODES = 16 };

static const char scratch_path[] = "/tmp";

static int mount_scratch(struct error *err)
{
    char options[64];
    snprintf(options, sizeof options, "size=%d,nr_inodes=%d", QUOTA_BYTES, QUOTA_INODES);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", scratch_path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return error_from_errno(err, "mount tmpfs");
    return chdir(scratch_path) < 0 ? error_from_errno(err, "enter %s", scratch_path) : 0;
}

/* How many bytes fit until the kernel says ENOSPC; -1 when it says something else. */
static long fill_file(const char *name)
{
    static const char block[4096];
    AUTO_CLOSE int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    long written = 0;
    ssize_t step = -1;
    while (fd >= 0 && written <= QUOTA_BYTES && (step = write(fd, block, sizeof block)) > 0)
        written += step;
    return step < 0 && errno == ENOSPC ? written : -1;
}

static int count_files(void)
{
    int made = 0;
    for (; made <= QUOTA_INODES; made++) {
        char name[16];
        snprintf(name, sizeof name, "%d", made);
        AUTO_CLOSE int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return errno == ENOSPC ? made : -1;
    }
    return -1;
}

static int use_quota(const void *argument, struct finding *finding, struct error *err)
{
    (void)argument;
    finding->step = REMEDY_MOUNTS;
    if (mount_scratch(err) < 0)
        return -1;
    long first = fill_file("data");
    unlink("data");
    long second = fill_file("data");
    if (first <= 0 || first != second)
        return error_set(err, ERROR_SYSTEM, "size= of tmpfs does not hold");
    if (count_files() <= 0)
        return error_set(err, ERROR_SYSTEM, "nr_inodes= of tmpfs does not hold");
    return 0;
}

static int make_quota(const void *outer, struct finding *finding, struct error *err)
{
    return outer_run_session(outer, CLONE_NEWNS, use_quota, NULL, finding, err);
}

int probe_quota(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "bytes and files of tmpfs");
    return outer_run(outer, make_quota, outer, finding, err);
}

/* ---- mapped mounts ---- */

static int map_mount(pid_t pid, struct error *err)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    AUTO_CLOSE int user_fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int tree_fd =
        (int)syscall(SYS_open_tree, AT_FDCWD, scratch_path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_fd};
    if (user_fd < 0 || tree_fd < 0 ||
        syscall(SYS_mount_setattr, tree_fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
        return error_from_errno(err, "map the ids of a tmpfs");
    return 0;
}

static int use_idmap(const void *outer, struct finding *finding, struct error *err)
{
    AUTO_CLOSE int pid_fd = -1;
    finding->step = REMEDY_MOUNTS;
    if (unshare(CLONE_NEWNS) < 0)
        return error_from_errno(err, "make a mount namespace");
    if (mount_scratch(err) < 0)
        return -1;
    pid_t pid = child_start_waiting(CLONE_NEWUSER, &pid_fd, err);
    if (pid < 0)
        return -1;
    int result = outer_map_session(outer, pid, err) < 0 ? -1 : map_mount(pid, err);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

int probe_tmpfs_idmap(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "ids of a tmpfs can be mapped");
    return outer_run(outer, use_idmap, outer, finding, err);
}
