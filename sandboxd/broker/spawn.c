#include "sandboxd/broker/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cgroup_place.h"
#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/sandbox/capabilities.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/namespaces.h"

/* In the child: waits for its ids, takes them, becomes the program. Returns on failure only. */
static int become(const struct spawn *spawn, int channel_fd, const struct cgroup_tree *tree,
                  const int *cgroup_fds, int go_fd, struct error *err)
{
    bool is_shell = spawn->root_id != 0;
    char go;
    /* Before the id changes: afterwards the kernel says EACCES. v2 has placed us at birth. */
    if (tree->version == 1 && cgroup_place_join(cgroup_fds, tree->count, err) < 0)
        return -1;
    if (read(go_fd, &go, 1) != 1)
        return error_set(err, ERROR_SYSTEM, "the broker did not map the ids");
    /* As 1000, the only id there is, it would lose them. */
    if (is_shell && (idmap_become(SESSION_ROOT_ID, err) < 0 ||
                     (layer_is_missing(LAYER_IDS) && capabilities_keep_across_exec(err) < 0)))
        return -1;

    int fds[1 + SPAWN_FDS_MAX] = {channel_fd};
    memcpy(fds + 1, spawn->fds, sizeof spawn->fds);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A shell starts what it puts in the background with SIGINT ignored, and that would be
     * inherited down to the interpreters, which are interrupted by it. */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    return descriptors_execute(spawn->executable_fd, spawn->arguments, fds, 1 + spawn->fd_count,
                               err);
}

static int map_ids(const struct spawn *spawn, pid_t pid, struct error *err)
{
    static const struct idmap_range only = {SESSION_GUEST_ID, OUTER_ROOT_ID, OUTER_ROOT_ID, 1};
    const struct idmap_range ranges[] = {
        {SESSION_ROOT_ID, spawn->root_id, spawn->root_id, 1},
        {SESSION_GUEST_ID, spawn->guest_id, spawn->guest_id, 1},
    };
    bool is_alone = layer_is_missing(LAYER_IDS);
    return idmap_write(pid, is_alone ? &only : ranges, is_alone ? 1 : 2, err);
}

/* In the broker: the child has its ids and may go on. */
static int let_go(const struct spawn *spawn, pid_t pid, int go_fd, struct error *err)
{
    if (spawn->root_id && map_ids(spawn, pid, err) < 0)
        return -1;
    if (write(go_fd, "", 1) != 1)
        return error_from_errno(err, "start %s", spawn->arguments[0]);
    return 0;
}

static pid_t start(const struct spawn *spawn, int channel_fd, const struct cgroup_tree *tree,
                   const int *cgroup_fds, int *ret_pid_fd, struct error *err)
{
    int go[2];
    if (pipe2(go, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    AUTO_CLOSE int go_read_fd = go[0];
    AUTO_CLOSE int go_write_fd = go[1];
    struct namespaces_clone how = {
        .flags = spawn->root_id ? namespaces_of_a_session() : 0,
        .cgroup_fd = tree->version == 2 ? cgroup_fds[0] : -1,
    };
    AUTO_CLOSE int pid_fd = -1;
    pid_t pid = namespaces_clone(&how, &pid_fd, err);
    if (pid == 0) {
        struct error failure = {0};
        close(go_write_fd);
        become(spawn, channel_fd, tree, cgroup_fds, go_read_fd, &failure);
        log_error("spawn.failed", "program=%s message=\"%s\"", spawn->arguments[0],
                  failure.message);
        _exit(127);
    }
    if (pid > 0 && let_go(spawn, pid, go_write_fd, err) < 0) {
        int status;
        namespaces_signal(pid_fd, SIGKILL, NULL);
        namespaces_reap(pid_fd, true, &status, NULL);
        return -1;
    }
    *ret_pid_fd = TAKE_FD(pid_fd);
    return pid;
}

pid_t spawn_start(const struct spawn *spawn, int channel_fd, int *ret_pid_fd, struct error *err)
{
    static const struct cgroup_tree own_place = {0};
    const struct cgroup_tree *tree = spawn->tree ? spawn->tree : &own_place;
    int cgroup_fds[CGROUP_HIERARCHIES_MAX];
    if (cgroup_open(tree, spawn->session, CGROUP_SHELL, cgroup_fds, err) < 0)
        return -1;
    pid_t pid = start(spawn, channel_fd, tree, cgroup_fds, ret_pid_fd, err);
    for (int i = 0; i < tree->count; i++)
        close_fd(&cgroup_fds[i]);
    return pid;
}
