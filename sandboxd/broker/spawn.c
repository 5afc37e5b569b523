#include "sandboxd/broker/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/sandbox/capabilities.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/namespaces.h"

static void execute(int executable_fd, const char *const *arguments, const int *fds, int count,
                    struct error *err)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A shell starts what it puts in the background with SIGINT ignored, and that would be
     * inherited down to the interpreters, which are interrupted by it. */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    descriptors_execute(executable_fd, arguments, fds, count, err);
}

/* v1, before the id changes: afterwards the kernel says EACCES. v2 has placed us at birth. */
static int join_cgroups(const struct cgroup_tree *tree, const int *cgroup_fds, struct error *err)
{
    for (int i = 0; tree->version == 1 && i < tree->count; i++) {
        if (write(cgroup_fds[i], "0", 1) != 1)
            return error_from_errno(err, "join a cgroup");
    }
    return 0;
}

pid_t spawn_program(const struct spawn_program *program, int *ret_pid_fd, struct error *err)
{
    static const struct cgroup_tree own_place = {0};
    const struct cgroup_tree *tree = program->tree ? program->tree : &own_place;
    int cgroup_fds[CGROUP_HIERARCHIES_MAX];
    if (cgroup_open(tree, program->session, CGROUP_SHELL, cgroup_fds, err) < 0)
        return -1;
    struct namespaces_clone how = {.cgroup_fd = tree->version == 2 ? cgroup_fds[0] : -1};
    pid_t pid = namespaces_clone(&how, ret_pid_fd, err);
    if (pid != 0) {
        for (int i = 0; i < tree->count; i++)
            close_fd(&cgroup_fds[i]);
        return pid;
    }

    struct error failure = {0};
    if (join_cgroups(tree, cgroup_fds, &failure) == 0)
        execute(program->executable_fd, program->arguments, program->fds, program->fd_count,
                &failure);
    log_error("spawn.failed", "message=\"%s\"", failure.message);
    _exit(127);
}

/* In the child: waits for its ids, takes them, becomes sandboxd-session. */
static int become_shell(const struct spawn_shell *shell, const int *cgroup_fds, int go_fd,
                        struct error *err)
{
    const char *const arguments[] = {"sandboxd-session", layers_to_argument(), NULL};
    const int fds[] = {shell->command_fd, shell->file_fd};
    char go;

    if (join_cgroups(shell->tree, cgroup_fds, err) < 0)
        return -1;
    if (read(go_fd, &go, 1) != 1)
        return error_set(err, ERROR_SYSTEM, "the broker did not map the ids");
    if (idmap_become(SESSION_ROOT_ID, err) < 0)
        return -1;
    /* As 1000, the only id there is, it would lose them. */
    if (layer_is_missing(LAYER_IDS) && capabilities_keep_across_exec(err) < 0)
        return -1;
    execute(shell->executable_fd, arguments, fds, 2, err);
    return -1;
}

static int map_ids(const struct spawn_shell *shell, pid_t pid, int go_fd, struct error *err)
{
    static const struct idmap_range only = {SESSION_GUEST_ID, OUTER_ROOT_ID, OUTER_ROOT_ID, 1};
    const struct idmap_range ranges[] = {
        {SESSION_ROOT_ID, shell->root_id, shell->root_id, 1},
        {SESSION_GUEST_ID, shell->guest_id, shell->guest_id, 1},
    };
    bool is_alone = layer_is_missing(LAYER_IDS);
    if (idmap_write(pid, is_alone ? &only : ranges, is_alone ? 1 : 2, err) < 0)
        return -1;
    if (write(go_fd, "", 1) != 1)
        return error_from_errno(err, "start the shell");
    return 0;
}

static pid_t clone_shell(const struct spawn_shell *shell, const int *cgroup_fds, int *ret_pid_fd,
                         struct error *err)
{
    AUTO_CLOSE int go_read_fd = -1;
    AUTO_CLOSE int go_write_fd = -1;
    int go[2];
    if (pipe2(go, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    go_read_fd = go[0];
    go_write_fd = go[1];

    struct namespaces_clone how = {
        .flags = namespaces_of_a_session(),
        .cgroup_fd = shell->tree->version == 2 ? cgroup_fds[0] : -1,
    };
    AUTO_CLOSE int pid_fd = -1;
    pid_t pid = namespaces_clone(&how, &pid_fd, err);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        struct error failure = {0};
        close(go_write_fd);
        become_shell(shell, cgroup_fds, go_read_fd, &failure);
        log_error("shell.failed", "message=\"%s\"", failure.message);
        _exit(127);
    }
    if (map_ids(shell, pid, go_write_fd, err) < 0) {
        int status;
        namespaces_signal(pid_fd, SIGKILL, NULL);
        namespaces_reap(pid_fd, true, &status, NULL);
        return -1;
    }
    *ret_pid_fd = TAKE_FD(pid_fd);
    return pid;
}

pid_t spawn_shell(const struct spawn_shell *shell, int *ret_pid_fd, struct error *err)
{
    int cgroup_fds[CGROUP_HIERARCHIES_MAX];
    if (cgroup_open(shell->tree, shell->session, CGROUP_SHELL, cgroup_fds, err) < 0)
        return -1;
    pid_t pid = clone_shell(shell, cgroup_fds, ret_pid_fd, err);
    for (int i = 0; i < shell->tree->count; i++)
        close_fd(&cgroup_fds[i]);
    return pid;
}
