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

enum { CGROUP_PERIOD_US = 100000, CGROUP_PATH_MAX = 96 };

/* PID 1, one file helper, and room for those that are ending. */
static const char shell_tasks[] = "16";
/* Our limit: 64 MiB. */
static const char socket_bytes[] = "67108864";

/* v1 hierarchies in the order of the tree's descriptors. */
enum { V1_MEMORY, V1_PIDS, V1_CPU };

/* A session's own directory, then its leaves in the order of enum cgroup_leaf. */
static const char *const directories[] = {"", [CGROUP_SHELL] = "shell", [CGROUP_GUEST] = "guest"};
enum { DIRECTORIES = sizeof directories / sizeof *directories };

struct path {
    char text[CGROUP_PATH_MAX];
};

static struct path path_of(uint64_t session, const char *below)
{
    struct path path;
    snprintf(path.text, sizeof path.text, "s%" PRIu64 "/%s", session, below);
    return path;
}

static int make_directories(const struct cgroup_tree *tree, uint64_t session, struct error *err)
{
    for (int i = 0; i < tree->count * DIRECTORIES; i++) {
        struct path path = path_of(session, directories[i % DIRECTORIES]);
        if (mkdirat(tree->dir_fds[i / DIRECTORIES], path.text, 0755) < 0)
            return error_from_errno(err, "make cgroup %s", path.text);
    }
    return 0;
}

static int limit(const struct cgroup_tree *tree, uint64_t session,
                 const struct session_plan_message *plan, struct error *err)
{
    char memory[32], tasks[32], quota_us[32], period_us[32], quota_and_period[64];
    snprintf(memory, sizeof memory, "%" PRIu64, plan->memory_bytes);
    snprintf(tasks, sizeof tasks, "%u", plan->tasks);
    snprintf(quota_us, sizeof quota_us, "%" PRIu64,
             (uint64_t)plan->cpu_percent * CGROUP_PERIOD_US / 100);
    snprintf(period_us, sizeof period_us, "%d", CGROUP_PERIOD_US);
    snprintf(quota_and_period, sizeof quota_and_period, "%s %s", quota_us, period_us);

    /* In the order in which the kernel takes them. Those that may be missing are where the kernel
     * does not count such a thing: then there is nothing to limit. */
    const struct {
        int version;
        int hierarchy;
        const char *name;
        const char *text;
        bool may_be_missing;
    } knobs[] = {
        {1, V1_MEMORY, "memory.limit_in_bytes", memory, false},
        /* Socket buffers are no part of the above in v1. */
        {1, V1_MEMORY, "guest/memory.kmem.tcp.limit_in_bytes", socket_bytes, true},
        {1, V1_MEMORY, "memory.memsw.limit_in_bytes", memory, true},
        {1, V1_PIDS, "shell/pids.max", shell_tasks, false},
        {1, V1_PIDS, "guest/pids.max", tasks, false},
        {1, V1_CPU, "guest/cpu.cfs_period_us", period_us, false},
        {1, V1_CPU, "guest/cpu.cfs_quota_us", quota_us, false},
        {2, 0, "cgroup.subtree_control", "+memory +pids +cpu", false},
        {2, 0, "memory.max", memory, false},
        {2, 0, "memory.swap.max", "0", true},
        {2, 0, "guest/memory.oom.group", "1", false},
        {2, 0, "shell/pids.max", shell_tasks, false},
        {2, 0, "guest/pids.max", tasks, false},
        {2, 0, "guest/cpu.max", quota_and_period, false},
    };
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++) {
        struct path path = path_of(session, knobs[i].name);
        if (knobs[i].version == tree->version &&
            knob_write(tree->dir_fds[knobs[i].hierarchy], path.text, knobs[i].text,
                       knobs[i].may_be_missing ? NULL : err) < 0 &&
            !knobs[i].may_be_missing)
            return -1;
    }
    return 0;
}

int cgroup_create(const struct cgroup_tree *tree, uint64_t session,
                  const struct session_plan_message *plan, struct error *err)
{
    if (make_directories(tree, session, err) == 0 &&
        (!LAYER("cgroup-limits") || limit(tree, session, plan, err) == 0))
        return 0;
    cgroup_remove(tree, session);
    return -1;
}

int cgroup_open(const struct cgroup_tree *tree, uint64_t session, enum cgroup_leaf leaf,
                int ret_fds[CGROUP_HIERARCHIES_MAX], struct error *err)
{
    for (int i = 0; i < tree->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", directories[leaf],
                 tree->version == 2 ? "" : "/cgroup.procs");
        struct path path = path_of(session, name);
        int flags = tree->version == 2 ? O_RDONLY | O_DIRECTORY : O_WRONLY;
        ret_fds[i] = openat(tree->dir_fds[i], path.text, flags | O_CLOEXEC);
        if (ret_fds[i] < 0) {
            error_from_errno(err, "open cgroup %s", path.text);
            while (i-- > 0)
                close_fd(&ret_fds[i]);
            return -1;
        }
    }
    return 0;
}

uint64_t cgroup_memory_kills(const struct cgroup_tree *tree, uint64_t session)
{
    char text[1024];
    struct path path =
        path_of(session, tree->version == 2 ? "guest/memory.events" : "guest/memory.oom_control");
    AUTO_CLOSE int fd =
        tree->count > 0 ? openat(tree->dir_fds[0], path.text, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *line = strstr(text, "oom_kill ");
    return line ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}

void cgroup_remove(const struct cgroup_tree *tree, uint64_t session)
{
    for (int i = tree->count * DIRECTORIES - 1; i >= 0; i--) {
        struct path path = path_of(session, directories[i % DIRECTORIES]);
        unlinkat(tree->dir_fds[i / DIRECTORIES], path.text, AT_REMOVEDIR);
    }
}
