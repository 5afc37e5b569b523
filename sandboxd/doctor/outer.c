#include "sandboxd/doctor/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/sandbox/idmap.h"

/* The daemon's own numbers: where its ranges begin, how many ids it maps, which the first session
 * has. */
enum { FIRST_ID = 1900000000, ID_COUNT = 65536, SESSION_ID = 16, LINE_MAX_BYTES = 1024 };

static const char uid_tool[] = "/usr/bin/newuidmap";
static const char gid_tool[] = "/usr/bin/newgidmap";

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

/* Lines of subuid(5) are "name or id:first:count". */
static bool find_range(const char *path, const char *name, uint32_t *ret_first)
{
    FILE *file = fopen(path, "re");
    char line[LINE_MAX_BYTES], number[16];
    bool found = false;
    snprintf(number, sizeof number, "%u", getuid());
    while (file && !found && fgets(line, sizeof line, file)) {
        unsigned long first = 0, count = 0;
        char *colon = strchr(line, ':');
        if (!colon || sscanf(colon, ":%lu:%lu", &first, &count) != 2 || count < ID_COUNT)
            continue;
        *colon = '\0';
        found = strcmp(line, name) == 0 || strcmp(line, number) == 0;
        if (found)
            *ret_first = (uint32_t)first;
    }
    if (file)
        fclose(file);
    return found;
}

void outer_find(struct outer *ret_outer)
{
    struct outer outer = {OUTER_AS_ROOT, FIRST_ID, FIRST_ID, true};
    if (geteuid() != 0) {
        const struct passwd *account = getpwuid(getuid());
        const char *name = account ? account->pw_name : "";
        outer.has_range = find_range("/etc/subuid", name, &outer.first_uid) &&
                          find_range("/etc/subgid", name, &outer.first_gid);
        bool has_tools = access(uid_tool, X_OK) == 0 && access(gid_tool, X_OK) == 0;
        outer.ids = outer.has_range && has_tools ? OUTER_WITH_SUBORDINATE : OUTER_WITH_SINGLE;
    }
    if (outer.ids == OUTER_WITH_SINGLE) {
        outer.first_uid = getuid();
        outer.first_gid = getgid();
    }
    *ret_outer = outer;
}

/* ---- maps ---- */

static int run_tool(const char *tool, pid_t pid, uint32_t first, struct error *err)
{
    char text[3][16];
    int status;
    snprintf(text[0], sizeof text[0], "%d", (int)pid);
    snprintf(text[1], sizeof text[1], "%u", first);
    snprintf(text[2], sizeof text[2], "%d", ID_COUNT);
    pid_t child = fork();
    if (child < 0)
        return error_from_errno(err, "fork");
    if (child == 0) {
        AUTO_CLOSE int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null_fd, STDERR_FILENO);
        execl(tool, tool, text[0], "0", text[1], text[2], NULL);
        _exit(errno == ENOENT ? 127 : 1);
    }
    if (waitpid(child, &status, 0) < 0)
        return error_from_errno(err, "wait for %s", tool);
    if (status == 0)
        return 0;
    errno = WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ENOENT : EPERM;
    return error_from_errno(err, "%s", tool);
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
    const struct idmap_range range = {SESSION_ROOT_ID, outer->first_uid, ID_COUNT};
    finding->step = REMEDY_ID_MAP;
    if (outer->ids == OUTER_AS_ROOT)
        return idmap_write(pid, &range, 1, err);
    if (outer->ids == OUTER_WITH_SINGLE)
        return map_single(pid, SESSION_ROOT_ID, outer->first_uid, outer->first_gid, err);
    finding->step = REMEDY_SUBORDINATE_IDS;
    return run_tool(uid_tool, pid, outer->first_uid, err) < 0
               ? -1
               : run_tool(gid_tool, pid, outer->first_gid, err);
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
