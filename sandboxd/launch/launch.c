#include "sandboxd/launch/launch.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "sandboxd/launch/cgroups.h"
#include "sandboxd/launch/janitor.h"
#include "sandboxd/launch/outer.h"
#include "sandboxd/launch/state.h"
#include "sandboxd/remedy/remedy.h"
#include "sandboxd/sandbox/descriptors.h"

/* What a launch finds out on its way. */
struct way {
    struct launch *launch;
    bool is_root; /* started by root, not by an ordinary user */
    struct cgroups cgroups;
};

/* v2 lets no process stay beside our directories; there whoever delegated the tree to an ordinary
 * user (systemd) clears it up. */
static int watch_cgroups(struct way *way, struct error *err)
{
    int *fds = way->launch->fds;
    if (!way->is_root && way->cgroups.version == 2)
        return 0;
    return janitor_start(&way->cgroups, fds[INHERIT_ID_LOCK_FD], &fds[INHERIT_JANITOR_FD], err);
}

/* A number that is free as a name in the cgroup tree and, for root, as a range of ids. An ordinary
 * user's directories are made inside his namespace, where they are its root's from the start. */
static int take_number(struct way *way, struct error *err)
{
    int *lock_fd = &way->launch->fds[INHERIT_ID_LOCK_FD];
    for (unsigned number = 0; number < RANGE_COUNT; number++) {
        if (way->is_root && range_take(&number, &way->launch->ids, lock_fd, err) < 0)
            return -1;
        uid_t owner = way->is_root ? way->launch->ids.first_uid : OUTER_ROOT_ID;
        if (cgroups_make(number, owner, !way->is_root, &way->cgroups, err) == 0)
            return watch_cgroups(way, err);
        if (err->code != ERROR_CONFLICT)
            break;
        if (way->is_root)
            close_fd(lock_fd);
    }
    way->cgroups = (struct cgroups){0};
    return remedy_miss(LAYER_CGROUP, REMEDY_CGROUPS, way->launch->allowed_missing, err);
}

static int enter_cgroups(struct way *way, struct error *err)
{
    struct cgroups *cgroups = &way->cgroups;
    if (cgroups_enter(cgroups, err) < 0) {
        if (remedy_miss(LAYER_CGROUP, REMEDY_CGROUPS, way->launch->allowed_missing, err) < 0)
            return -1;
        *cgroups = (struct cgroups){0};
    }
    for (int i = 0; i < cgroups->count; i++)
        way->launch->fds[INHERIT_CGROUP_FD + i] = cgroups->own_fds[i];
    return 0;
}

/* Root hands directories over before it stops being root. */
static int leave_root(struct way *way, struct error *err)
{
    if (take_number(way, err) < 0)
        return -1;
    const uid_t front = way->launch->ids.first_uid + OUTER_FRONT_ID;
    if (state_hand_over(way->launch->fds[INHERIT_STATE_FD], front, err) < 0 ||
        enter_cgroups(way, err) < 0)
        return -1;
    return outer_enter(&way->launch->ids, err);
}

/* An ordinary user gets power over what is his inside the namespace only. */
static int leave_user(struct way *way, struct error *err)
{
    if (outer_enter(&way->launch->ids, err) < 0 || take_number(way, err) < 0)
        return -1;
    return enter_cgroups(way, err);
}

int launch_broker(struct launch *launch, struct error *err)
{
    struct way way = {.launch = launch, .is_root = geteuid() == 0};
    if ((way.is_root ? leave_root : leave_user)(&way, err) < 0)
        return -1;
    char version[8], ids[16];
    snprintf(version, sizeof version, "%d", way.cgroups.version);
    snprintf(ids, sizeof ids, "%u", launch->ids.count);
    launch->arguments[INHERIT_CGROUP_ARGUMENT] = version;
    launch->arguments[INHERIT_IDS_ARGUMENT] = ids;
    launch->arguments[INHERIT_FRONT_ARGUMENTS - 1 + FRONT_MISSING_ARGUMENT] = layers_to_argument();
    return descriptors_execute(launch->executable_fd, launch->arguments,
                               &launch->fds[INHERIT_LISTEN_FD], INHERIT_END_FD - INHERIT_LISTEN_FD,
                               err);
}
