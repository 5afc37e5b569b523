#include "sandboxd/ids/subordinate.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/inherit.h"

#define UID_TOOL "/usr/bin/newuidmap"
#define GID_TOOL "/usr/bin/newgidmap"

enum { SUBORDINATE_LINE_MAX = 1024 };

struct range {
    uint32_t first, count;
};

/* The first range that is large enough, from a file with lines "NAME or ID:FIRST:COUNT". */
static int find_range(const char *path, struct range *ret_range, struct error *err)
{
    const struct passwd *account = getpwuid(getuid());
    const char *name = account ? account->pw_name : "";
    char line[SUBORDINATE_LINE_MAX], owner[256], number[16];
    snprintf(number, sizeof number, "%u", getuid());
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        struct range range;
        found = sscanf(line, "%255[^:]:%u:%u", owner, &range.first, &range.count) == 3 &&
                (strcmp(owner, name) == 0 || strcmp(owner, number) == 0) &&
                range.count >= SUBORDINATE_IDS_MIN;
        if (found)
            *ret_range = range;
    }
    if (file)
        fclose(file);
    if (!found)
        return error_set(err, ERROR_MISSING, "%s has no range of %d ids or more for %s", path,
                         SUBORDINATE_IDS_MIN, account ? name : number);
    return 0;
}

/* A name of the abstract kind, since there is no directory that an ordinary user is sure to have:
 * taken while the socket is open. -1 when somebody has it. */
static int lock(uint32_t first)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "sandpool-ids-%u-%u",
                          getuid(), first);
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    return fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ? -1 : TAKE_FD(fd);
}

int subordinate_take(struct machine_ids *ret_ids, int *ret_lock_fd, struct error *err)
{
    struct range users = {0}, groups = {0};
    if (access(UID_TOOL, X_OK) < 0 || access(GID_TOOL, X_OK) < 0)
        return error_from_errno(err, UID_TOOL " and " GID_TOOL);
    if (find_range("/etc/subuid", &users, err) < 0 || find_range("/etc/subgid", &groups, err) < 0)
        return -1;
    uint32_t count = users.count < groups.count ? users.count : groups.count;
    uint32_t slice = count < SUBORDINATE_IDS_SLICE ? count : SUBORDINATE_IDS_SLICE;
    for (uint32_t at = 0; count - at >= slice; at += slice) {
        *ret_lock_fd = lock(users.first + at);
        if (*ret_lock_fd < 0)
            continue;
        *ret_ids = (struct machine_ids){users.first + at, groups.first + at, slice};
        return 0;
    }
    return error_set(err, ERROR_LIMIT,
                     "all %u subordinate ids are in use by other daemons of this user, each of "
                     "which takes %u",
                     count, slice);
}

static _Noreturn void become_tool(char **arguments)
{
    static char *const no_environment[] = {NULL};
    AUTO_CLOSE int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null_fd, STDERR_FILENO); /* what to do about a refusal is said elsewhere */
    execve(arguments[0], arguments, no_environment);
    _exit(127);
}

static int run_tool(const char *tool, pid_t pid, uint32_t first, uint32_t own, uint32_t count,
                    struct error *err)
{
    enum { NUMBERS = 10 };
    const uint32_t numbers[NUMBERS] = {
        (uint32_t)pid,      OUTER_ROOT_ID, first,     1, OUTER_FRONT_ID, own, 1,
        OUTER_FRONT_ID + 1, first + 1,     count - 2,
    };
    char texts[NUMBERS][16];
    char *arguments[NUMBERS + 2] = {(char *)(uintptr_t)tool};
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", numbers[i]);
        arguments[1 + i] = texts[i];
    }
    int status;
    pid_t child = fork();
    if (child == 0)
        become_tool(arguments);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return error_from_errno(err, "run %s", tool);
    errno = EPERM;
    return status == 0 ? 0 : error_from_errno(err, "%s", tool);
}

int subordinate_map(pid_t pid, const struct machine_ids *ids, struct error *err)
{
    if (run_tool(UID_TOOL, pid, ids->first_uid, getuid(), ids->count, err) < 0)
        return -1;
    return run_tool(GID_TOOL, pid, ids->first_gid, getgid(), ids->count, err);
}
