#include "sandboxd/sandbox/idmap.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"

enum { IDMAP_TEXT_MAX = 256 };

static int write_map(pid_t pid, const char *name, const char *text, struct error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_from_errno(err, "write %s", path);
    return 0;
}

int idmap_write(pid_t pid, const struct idmap_range *ranges, int count, struct error *err)
{
    char text[IDMAP_TEXT_MAX];
    size_t length = 0;
    for (int i = 0; i < count && length < sizeof text; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%u %u %u\n",
                                   ranges[i].inside, ranges[i].outside, ranges[i].count);
    if (length >= sizeof text)
        return error_set(err, ERROR_INVALID, "too many id ranges");

    if (write_map(pid, "uid_map", text, err) < 0)
        return -1;
    return write_map(pid, "gid_map", text, err);
}

int idmap_write_single(pid_t pid, uint32_t inside, uid_t uid, gid_t gid, struct error *err)
{
    char users[IDMAP_TEXT_MAX], groups[IDMAP_TEXT_MAX];
    snprintf(users, sizeof users, "%u %u 1\n", inside, uid);
    snprintf(groups, sizeof groups, "%u %u 1\n", inside, gid);
    if (write_map(pid, "setgroups", "deny", err) < 0 || write_map(pid, "uid_map", users, err) < 0)
        return -1;
    return write_map(pid, "gid_map", groups, err);
}

int idmap_become(uid_t id, struct error *err)
{
    if (layer_is_missing(LAYER_IDS))
        return 0;
    if (setgroups(0, NULL) < 0)
        return error_from_errno(err, "setgroups");
    if (setresgid(id, id, id) < 0)
        return error_from_errno(err, "setresgid %u", id);
    if (setresuid(id, id, id) < 0)
        return error_from_errno(err, "setresuid %u", id);
    return 0;
}
