#include "sandboxd/launch/outer.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/without.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/ids/subordinate.h"
#include "sandboxd/remedy/remedy.h"
#include "sandboxd/sandbox/idmap.h"

static int map(pid_t pid, const struct machine_ids *ids)
{
    struct idmap_range range = {OUTER_ROOT_ID, ids->first_uid, ids->first_gid, ids->count};
    if (layer_is_missing(LAYER_IDS))
        range.count = 1;
    else if (geteuid() != 0)
        return subordinate_map(pid, ids, NULL);
    return idmap_write(pid, &range, 1, NULL);
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
    if ((LAYER("groups") && geteuid() == 0 && setgroups(0, NULL) < 0) ||
        unshare(CLONE_NEWUSER) < 0) {
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
