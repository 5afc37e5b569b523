#include "sandboxd/doctor/outer.h"

#include <sched.h>
#include <unistd.h>

#include "sandboxd/sandbox/idmap.h"

/* The daemon's own number of the first session. */
enum { SESSION_ID = 16 };

static const struct {
    const char *name, *words;
} modes[] = {
    [OUTER_AS_ROOT] = {"root", "as root"},
    [OUTER_WITH_SUBORDINATE] = {"subordinate-ids", "with subordinate ids"},
    [OUTER_WITH_SINGLE] = {"single-id", "with a single id"},
};

const char *outer_name(enum outer_ids ids)
{
    return modes[ids].name;
}

const char *outer_words(enum outer_ids ids)
{
    return modes[ids].words;
}

void outer_find(struct outer *ret_outer, int *ret_lock_fd)
{
    struct outer outer = {OUTER_AS_ROOT, {RANGE_FIRST_ID, RANGE_FIRST_ID, RANGE_IDS}, {0}};
    *ret_lock_fd = -1;
    if (geteuid() != 0)
        outer.ids = subordinate_take(&outer.range, ret_lock_fd, &outer.why) == 0
                        ? OUTER_WITH_SUBORDINATE
                        : OUTER_WITH_SINGLE;
    if (outer.ids == OUTER_WITH_SINGLE)
        outer.range = (struct machine_ids){getuid(), getgid(), 1};
    *ret_outer = outer;
}

/* ---- maps ---- */

static int map_outer(const void *self, pid_t pid, struct finding *finding, struct error *err)
{
    const struct outer *outer = self;
    const struct machine_ids *ids = &outer->range;
    const struct idmap_range range = {SESSION_ROOT_ID, ids->first_uid, ids->first_gid, ids->count};
    finding->step = REMEDY_ID_MAP;
    if (outer->ids != OUTER_WITH_SUBORDINATE)
        return idmap_write(pid, &range, 1, err);
    finding->step = REMEDY_SUBORDINATE_IDS;
    return subordinate_map(pid, ids, err);
}

int outer_map_session(const struct outer *outer, pid_t pid, struct error *err)
{
    static const struct idmap_range only = {SESSION_GUEST_ID, SESSION_ROOT_ID, SESSION_ROOT_ID, 1};
    static const struct idmap_range ranges[] = {
        {SESSION_ROOT_ID, SESSION_ID, SESSION_ID, 1},
        {SESSION_GUEST_ID, SESSION_ID + 1, SESSION_ID + 1, 1},
    };
    bool is_alone = outer->ids == OUTER_WITH_SINGLE;
    return idmap_write(pid, is_alone ? &only : ranges, is_alone ? 1 : 2, err);
}

static int map_session(const void *self, pid_t pid, struct finding *finding, struct error *err)
{
    finding->step = REMEDY_ID_MAP;
    return outer_map_session(self, pid, err);
}

/* ---- children ---- */

int outer_run(const struct outer *outer, child_act act, const void *argument,
              struct finding *finding, struct error *err)
{
    const struct child_how how = {CLONE_NEWUSER, map_outer, outer, outer->ids != OUTER_WITH_SINGLE};
    finding->step = REMEDY_USER_NAMESPACE;
    if (child_run(&how, act, argument, finding, err) == 0)
        return 0;
    return finding->step == REMEDY_USER_NAMESPACE ? error_add_context(err, "make a user namespace")
                                                  : -1;
}

int outer_run_session(const struct outer *outer, uint64_t flags, child_act act,
                      const void *argument, struct finding *finding, struct error *err)
{
    const struct child_how how = {flags | CLONE_NEWUSER, map_session, outer,
                                  outer->ids != OUTER_WITH_SINGLE};
    finding->step = REMEDY_NAMESPACES;
    if (child_run(&how, act, argument, finding, err) == 0)
        return 0;
    return finding->step == REMEDY_NAMESPACES
               ? error_add_context(err, "make a session's namespaces")
               : -1;
}
