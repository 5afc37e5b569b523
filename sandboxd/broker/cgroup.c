#include "sandboxd/broker/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/knob.h"
#include "base/core/without.h"

enum {
    CGROUP_SHELL_TASKS = 16, /* PID 1, one file helper, and room for those that are ending */
    CGROUP_PERIOD_US = 100000,
    CGROUP_PATH_MAX = 96,
    CGROUP_SOCKET_BYTES = 64 * 1024 * 1024, /* our limit */
};

/* v1 hierarchies in the order of the tree's descriptors. */
enum { V1_MEMORY, V1_PIDS, V1_CPU };

static const char *const leaf_names[] = {"shell", "guest"};

static int write_knob(int dir_fd, uint64_t session, const char *name, const char *text,
                      struct error *err)
{
    char path[CGROUP_PATH_MAX];
    snprintf(path, sizeof path, "s%" PRIu64 "/%s", session, name);
    return knob_write(dir_fd, path, text, err);
}

static int write_number(int dir_fd, uint64_t session, const char *name, uint64_t value,
                        struct error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return write_knob(dir_fd, session, name, text, err);
}

static int make_directories(const struct cgroup_tree *tree, uint64_t session, struct error *err)
{
    for (int i = 0; i < tree->count; i++) {
        char path[CGROUP_PATH_MAX];
        snprintf(path, sizeof path, "s%" PRIu64, session);
        if (mkdirat(tree->dir_fds[i], path, 0755) < 0)
            return error_from_errno(err, "make cgroup %s", path);
        for (size_t leaf = 0; leaf < sizeof leaf_names / sizeof *leaf_names; leaf++) {
            snprintf(path, sizeof path, "s%" PRIu64 "/%s", session, leaf_names[leaf]);
            if (mkdirat(tree->dir_fds[i], path, 0755) < 0)
                return error_from_errno(err, "make cgroup %s", path);
        }
    }
    return 0;
}

static int limit_v1(const struct cgroup_tree *tree, uint64_t session,
                    const struct session_plan_message *plan, struct error *err)
{
    int memory_fd = tree->dir_fds[V1_MEMORY];
    if (write_number(memory_fd, session, "memory.limit_in_bytes", plan->memory_bytes, err) < 0)
        return -1;
    /* Socket buffers are no part of the above in v1; absent where the kernel does not count them.
     */
    write_number(memory_fd, session, "guest/memory.kmem.tcp.limit_in_bytes", CGROUP_SOCKET_BYTES,
                 NULL);
    /* Absent where swap is not accounted: then there is nothing to forbid. */
    write_number(memory_fd, session, "memory.memsw.limit_in_bytes", plan->memory_bytes, NULL);
    if (write_number(tree->dir_fds[V1_PIDS], session, "shell/pids.max", CGROUP_SHELL_TASKS, err) <
            0 ||
        write_number(tree->dir_fds[V1_PIDS], session, "guest/pids.max", plan->tasks, err) < 0)
        return -1;
    uint64_t quota_us = (uint64_t)plan->cpu_percent * CGROUP_PERIOD_US / 100;
    if (write_number(tree->dir_fds[V1_CPU], session, "guest/cpu.cfs_period_us", CGROUP_PERIOD_US,
                     err) < 0)
        return -1;
    return write_number(tree->dir_fds[V1_CPU], session, "guest/cpu.cfs_quota_us", quota_us, err);
}

static int limit_v2(const struct cgroup_tree *tree, uint64_t session,
                    const struct session_plan_message *plan, struct error *err)
{
    int fd = tree->dir_fds[0];
    char quota[64];
    snprintf(quota, sizeof quota, "%" PRIu64 " %d",
             (uint64_t)plan->cpu_percent * CGROUP_PERIOD_US / 100, CGROUP_PERIOD_US);
    if (write_knob(fd, session, "cgroup.subtree_control", "+memory +pids +cpu", err) < 0 ||
        write_number(fd, session, "memory.max", plan->memory_bytes, err) < 0 ||
        write_number(fd, session, "guest/memory.oom.group", 1, err) < 0 ||
        write_number(fd, session, "shell/pids.max", CGROUP_SHELL_TASKS, err) < 0 ||
        write_number(fd, session, "guest/pids.max", plan->tasks, err) < 0)
        return -1;
    /* Absent without swap support in the kernel. */
    write_number(fd, session, "memory.swap.max", 0, NULL);
    return write_knob(fd, session, "guest/cpu.max", quota, err);
}

int cgroup_create(const struct cgroup_tree *tree, uint64_t session,
                  const struct session_plan_message *plan, struct error *err)
{
    int result = make_directories(tree, session, err);
    if (result == 0 && tree->version > 0 && LAYER("cgroup-limits"))
        result = tree->version == 2 ? limit_v2(tree, session, plan, err)
                                    : limit_v1(tree, session, plan, err);
    if (result < 0)
        cgroup_remove(tree, session);
    return result;
}

int cgroup_open(const struct cgroup_tree *tree, uint64_t session, enum cgroup_leaf leaf,
                int ret_fds[CGROUP_HIERARCHIES_MAX], struct error *err)
{
    for (int i = 0; i < tree->count; i++) {
        char path[CGROUP_PATH_MAX];
        snprintf(path, sizeof path, "s%" PRIu64 "/%s%s", session, leaf_names[leaf],
                 tree->version == 2 ? "" : "/cgroup.procs");
        int flags = tree->version == 2 ? O_RDONLY | O_DIRECTORY : O_WRONLY;
        ret_fds[i] = openat(tree->dir_fds[i], path, flags | O_CLOEXEC);
        if (ret_fds[i] < 0) {
            error_from_errno(err, "open cgroup %s", path);
            while (i-- > 0)
                close_fd(&ret_fds[i]);
            return -1;
        }
    }
    return 0;
}

uint64_t cgroup_memory_kills(const struct cgroup_tree *tree, uint64_t session)
{
    char path[CGROUP_PATH_MAX], text[1024];
    snprintf(path, sizeof path, "s%" PRIu64 "/guest/%s", session,
             tree->version == 2 ? "memory.events" : "memory.oom_control");
    AUTO_CLOSE int fd = tree->count > 0 ? openat(tree->dir_fds[0], path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *line = strstr(text, "oom_kill ");
    return line ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}

bool cgroup_remove(const struct cgroup_tree *tree, uint64_t session)
{
    bool removed = true;
    for (int i = 0; i < tree->count; i++) {
        char path[CGROUP_PATH_MAX];
        for (size_t leaf = 0; leaf < sizeof leaf_names / sizeof *leaf_names; leaf++) {
            snprintf(path, sizeof path, "s%" PRIu64 "/%s", session, leaf_names[leaf]);
            unlinkat(tree->dir_fds[i], path, AT_REMOVEDIR);
        }
        snprintf(path, sizeof path, "s%" PRIu64, session);
        if (unlinkat(tree->dir_fds[i], path, AT_REMOVEDIR) < 0 && errno != ENOENT)
            removed = false;
    }
    return removed;
}
