#include "sandboxd/ids/range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"

enum { RANGE_LINE_MAX = 1024 };
static const char lock_directory[] = "/run/sandpool";

/* Field number `index` (from 0) of a line of colon-separated fields, as a number; -1 when it is
 * none. */
static long long field(const char *line, int index)
{
    for (; index > 0 && line; index--) {
        line = strchr(line, ':');
        line = line ? line + 1 : NULL;
    }
    if (!line || *line < '0' || *line > '9')
        return -1;
    return strtoll(line, NULL, 10);
}

/* The first line of a file of accounts (count_field -1) or of ranges that touches ours. */
static bool is_used_by(const char *path, int first_field, int count_field, uint32_t first)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char line[RANGE_LINE_MAX];
    bool used = false;
    while (!used && fgets(line, sizeof line, file)) {
        long long start = field(line, first_field);
        long long count = count_field < 0 ? 1 : field(line, count_field);
        used = start >= 0 && count > 0 && start < (long long)first + RANGE_IDS &&
               start + count > (long long)first;
    }
    fclose(file);
    return used;
}

static bool is_unused(uint32_t first)
{
    return !is_used_by("/etc/passwd", 2, -1, first) && !is_used_by("/etc/group", 2, -1, first) &&
           !is_used_by("/etc/subuid", 1, 2, first) && !is_used_by("/etc/subgid", 1, 2, first);
}

int range_take(unsigned *number, struct machine_ids *ret_ids, int *ret_lock_fd, struct error *err)
{
    if (mkdir(lock_directory, 0755) < 0 && errno != EEXIST)
        return error_from_errno(err, "make %s", lock_directory);
    for (; *number < RANGE_COUNT; ++*number) {
        char path[64];
        uint32_t first = RANGE_FIRST_ID + *number * RANGE_IDS;
        if (!is_unused(first))
            continue;
        snprintf(path, sizeof path, "%s/ids-%u", lock_directory, first);
        AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return error_from_errno(err, "open %s", path);
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *ret_ids = (struct machine_ids){first, first, RANGE_IDS};
            *ret_lock_fd = TAKE_FD(fd);
            return 0;
        }
    }
    return error_set(err, ERROR_LIMIT,
                     "no free range of %d ids from %d on: other daemons or accounts use them all",
                     RANGE_IDS, RANGE_FIRST_ID);
}

bool range_is_of_a_daemon(uint32_t id)
{
    return id >= RANGE_FIRST_ID && id < RANGE_FIRST_ID + (uint32_t)RANGE_COUNT * RANGE_IDS;
}
