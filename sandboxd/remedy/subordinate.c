#include "sandboxd/remedy/subordinate.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/core/cleanup.h"

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
    if (access(SUBORDINATE_UID_TOOL, X_OK) < 0 || access(SUBORDINATE_GID_TOOL, X_OK) < 0)
        return error_from_errno(err, SUBORDINATE_UID_TOOL " and " SUBORDINATE_GID_TOOL);
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
