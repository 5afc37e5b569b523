#include "sandboxd/doctor/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/sandbox/idmap.h"

/* The daemon's own numbers: where root's ranges begin, how many ids are in one, which are the
 * front's and the first session's. */
enum { FIRST_ID = 1900000000, ID_COUNT = 65536, FRONT_ID = 1, SESSION_ID = 16 };

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
    struct outer outer = {OUTER_AS_ROOT, {FIRST_ID, FIRST_ID, ID_COUNT}, {0}};
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

/* As the daemon does it: the front has the id of the caller, all others are from the range. */
static int run_tool(const char *tool, pid_t pid, uint32_t first, uint32_t own, uint32_t count,
                    struct error *err)
{
    enum { NUMBERS = 10 };
    const uint32_t numbers[NUMBERS] = {(uint32_t)pid, 0, first,        1,         FRONT_ID,
                                       own,           1, FRONT_ID + 1, first + 1, count - 2};
    char texts[NUMBERS][16];
    char *arguments[NUMBERS + 2] = {(char *)(uintptr_t)tool};
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", numbers[i]);
        arguments[1 + i] = texts[i];
    }
    int status;
    pid_t child = fork();
    if (child < 0)
        return error_from_errno(err, "fork");
    if (child == 0) {
        AUTO_CLOSE int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null_fd, STDERR_FILENO);
        execv(tool, arguments);
        _exit(1);
    }
    if (waitpid(child, &status, 0) < 0)
        return error_from_errno(err, "wait for %s", tool);
    errno = EPERM;
    return status == 0 ? 0 : error_from_errno(err, "%s", tool);
}

static int write_text(pid_t pid, const char *name, const char *text, struct error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, text, strlen(text)) < 0 ? error_from_errno(err, "write %s", path)
                                                       : 0;
}

/* Without privilege one id may be mapped, and setgroups must be given up before. */
static int map_single(pid_t pid, uint32_t inside, uint32_t uid, uint32_t gid, struct error *err)
{
    char users[48], groups[48];
    snprintf(users, sizeof users, "%u %u 1\n", inside, uid);
    snprintf(groups, sizeof groups, "%u %u 1\n", inside, gid);
    if (write_text(pid, "setgroups", "deny", err) < 0 || write_text(pid, "uid_map", users, err) < 0)
        return -1;
    return write_text(pid, "gid_map", groups, err);
}

static int map_outer(const void *self, pid_t pid, struct finding *finding, struct error *err)
{
    const struct outer *outer = self;
    const struct machine_ids *ids = &outer->range;
    const struct idmap_range range = {SESSION_ROOT_ID, ids->first_uid, ids->count};
    finding->step = REMEDY_ID_MAP;
    if (outer->ids == OUTER_AS_ROOT)
        return idmap_write(pid, &range, 1, err);
    if (outer->ids == OUTER_WITH_SINGLE)
        return map_single(pid, SESSION_ROOT_ID, ids->first_uid, ids->first_gid, err);
    finding->step = REMEDY_SUBORDINATE_IDS;
    if (run_tool(SUBORDINATE_UID_TOOL, pid, ids->first_uid, getuid(), ids->count, err) < 0)
        return -1;
    return run_tool(SUBORDINATE_GID_TOOL, pid, ids->first_gid, getgid(), ids->count, err);
}

int outer_map_session(const struct outer *outer, pid_t pid, struct error *err)
{
    static const struct idmap_range ranges[] = {{SESSION_ROOT_ID, SESSION_ID, 1},
                                                {SESSION_GUEST_ID, SESSION_ID + 1, 1}};
    if (outer->ids == OUTER_WITH_SINGLE)
        return map_single(pid, SESSION_GUEST_ID, SESSION_ROOT_ID, SESSION_ROOT_ID, err);
    return idmap_write(pid, ranges, 2, err);
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
