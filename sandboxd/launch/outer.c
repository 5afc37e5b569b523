#include "sandboxd/launch/outer.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/remedy/remedy.h"
#include "sandboxd/sandbox/idmap.h"

/* The setuid programs map what the administrator has given to the caller, and his own id. */
static int run_tool(const char *tool, pid_t pid, uint32_t first, uint32_t own, uint32_t count)
{
    enum { NUMBERS = 10 };
    static char *const no_environment[] = {NULL};
    const uint32_t numbers[NUMBERS] = {
        (uint32_t)pid,      OUTER_ROOT_ID, first,     1, OUTER_FRONT_ID, own, 1,
        OUTER_FRONT_ID + 1, first + 1,     count - 2,
    };
    char texts[NUMBERS][16];
    const char *arguments[NUMBERS + 2] = {tool};
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", numbers[i]);
        arguments[1 + i] = texts[i];
    }
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execve(tool, (char *const *)(uintptr_t)arguments, no_environment);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) > 0 && status == 0 ? 0 : -1;
}

static int map(pid_t pid, const struct machine_ids *ids)
{
    const struct idmap_range range = {OUTER_ROOT_ID, ids->first_uid, ids->count};
    if (geteuid() == 0)
        return idmap_write(pid, &range, 1, NULL);
    if (layer_is_missing(LAYER_IDS))
        return idmap_write_single(pid, OUTER_ROOT_ID, ids->first_uid, ids->first_gid, NULL);
    if (run_tool(SUBORDINATE_UID_TOOL, pid, ids->first_uid, getuid(), ids->count) < 0)
        return -1;
    return run_tool(SUBORDINATE_GID_TOOL, pid, ids->first_gid, getgid(), ids->count);
}

/* In a child that has stayed outside, where it still has the power to map. */
static _Noreturn void run_mapper(pid_t pid, int ready_fd, const struct machine_ids *ids)
{
    char byte;
    _exit(read(ready_fd, &byte, 1) == 1 && map(pid, ids) == 0 ? 0 : 1);
}

int outer_enter(const struct machine_ids *ids, struct error *err)
{
    pid_t own = getpid();
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    pid_t mapper = fork();
    if (mapper < 0)
        return error_from_errno(err, "fork");
    if (mapper == 0) {
        close(ready[1]);
        run_mapper(own, ready[0], ids);
    }
    close(ready[0]);
    AUTO_CLOSE int ready_fd = ready[1];
    if ((geteuid() == 0 && setgroups(0, NULL) < 0) || unshare(CLONE_NEWUSER) < 0) {
        error_from_errno(err, "make a user namespace");
        return remedy_append(REMEDY_USER_NAMESPACE, err);
    }
    int status = 0;
    if (write(ready_fd, "", 1) != 1 || waitpid(mapper, &status, 0) < 0 || status != 0) {
        error_set(err, ERROR_SYSTEM, "the ids from %u on could not be mapped", ids->first_uid);
        return remedy_append(REMEDY_ID_MAP, err);
    }
    return idmap_become(OUTER_ROOT_ID, err);
}
