#include "sandboxd/sandbox/idmap.h"

#include <assert.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/core/knob.h"
#include "base/core/layer.h"
#include "base/core/without.h"

enum { IDMAP_LINE_MAX = 48 };

static int write_file(pid_t pid, const char *name, const char *text, struct error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return knob_write(AT_FDCWD, path, text, err);
}

int idmap_write(pid_t pid, const struct idmap_range *ranges, int count, struct error *err)
{
    char users[IDMAP_RANGES_MAX * IDMAP_LINE_MAX], groups[IDMAP_RANGES_MAX * IDMAP_LINE_MAX];
    int user_length = 0, group_length = 0;
    assert(count <= IDMAP_RANGES_MAX);
    for (int i = 0; i < count; i++) {
        const struct idmap_range *range = &ranges[i];
        user_length += snprintf(users + user_length, IDMAP_LINE_MAX, "%u %u %u\n", range->inside,
                                range->uid, range->count);
        group_length += snprintf(groups + group_length, IDMAP_LINE_MAX, "%u %u %u\n", range->inside,
                                 range->gid, range->count);
    }
    bool is_alone = count == 1 && ranges->count == 1;
    if ((is_alone && write_file(pid, "setgroups", "deny", err) < 0) ||
        write_file(pid, "uid_map", users, err) < 0)
        return -1;
    return write_file(pid, "gid_map", groups, err);
}

int idmap_become(uid_t id, struct error *err)
{
    if (layer_is_missing(LAYER_IDS))
        return 0;
    if (LAYER("groups") && setgroups(0, NULL) < 0)
        return error_from_errno(err, "setgroups");
    if (setresgid(id, id, id) < 0)
        return error_from_errno(err, "setresgid %u", id);
    if (setresuid(id, id, id) < 0)
        return error_from_errno(err, "setresuid %u", id);
    return 0;
}
