#include "sandboxd/launch/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/knob.h"

enum { CGROUPS_PATH_MAX = 64 };

/* Where the daemon itself is: it marks the tree as in use. */
static const char own_leaf[] = "broker";

static int give(int dir_fd, uid_t owner, struct error *err)
{
    static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
    if (fchown(dir_fd, owner, owner) < 0)
        return error_from_errno(err, "give a cgroup to id %u", owner);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (fchownat(dir_fd, files[i], owner, owner, 0) < 0 && errno != ENOENT)
            return error_from_errno(err, "give %s to id %u", files[i], owner);
    }
    return 0;
}

/* A directory of ours, opened and given away; -1 on failure. */
static int make_directory(int parent_fd, const char *name, uid_t owner, struct error *err)
{
    if (mkdirat(parent_fd, name, 0755) < 0)
        return error_from_errno(err, "make cgroup %s", name);
    AUTO_CLOSE int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "open cgroup %s", name);
    return give(fd, owner, err) < 0 ? -1 : TAKE_FD(fd);
}

static int make_own(struct cgroups *cgroups, uid_t owner, struct error *err)
{
    for (int i = 0; i < cgroups->count; i++) {
        int fd = make_directory(cgroups->parent_fds[i], cgroups->name, owner, err);
        cgroups->own_fds[i] = fd;
        AUTO_CLOSE int leaf_fd = fd < 0 ? -1 : make_directory(fd, own_leaf, owner, err);
        if (leaf_fd < 0)
            return -1;
    }
    return 0;
}

/* The leaf of a living daemon cannot be removed; asking has no other effect on it. */
static bool is_alive(const struct cgroups *cgroups)
{
    char path[CGROUPS_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", cgroups->name, own_leaf);
    for (int i = 0; i < cgroups->count; i++) {
        if (unlinkat(cgroups->parent_fds[i], path, AT_REMOVEDIR) < 0 && errno == EBUSY)
            return true;
    }
    return false;
}

/* v2: for root the root of the tree, which may hold processes and controllers both; for an ordinary
 * user what has been delegated to him. */
int cgroups_make(unsigned number, uid_t owner, bool is_delegated, struct cgroups *cgroups,
                 struct error *err)
{
    if (cgroups->version == 0) {
        int version = cgroup_place_find(!is_delegated, cgroups->parent_fds, &cgroups->count, err);
        if (version < 0)
            return -1;
        cgroups->version = version;
    }
    snprintf(cgroups->name, sizeof cgroups->name, "sandpool-%u", number);
    if (is_alive(cgroups) || !cgroups_remove(cgroups))
        return error_set(err, ERROR_CONFLICT, "cgroup %s is in use", cgroups->name);
    if (make_own(cgroups, owner, err) < 0) {
        cgroups_remove(cgroups);
        return -1;
    }
    return 0;
}

int cgroups_enter(const struct cgroups *cgroups, struct error *err)
{
    char path[CGROUPS_NAME_MAX];
    snprintf(path, sizeof path, "%s/cgroup.procs", own_leaf);
    for (int i = 0; i < cgroups->count; i++) {
        if (knob_write(cgroups->own_fds[i], path, "0", err) < 0)
            return -1;
    }
    /* Only now: what has controllers below it may hold no process, the root of the tree excepted.
     */
    const int knobs[] = {cgroups->parent_fds[0], cgroups->own_fds[0]};
    for (int i = 0; cgroups->version == 2 && i < 2; i++) {
        if (knob_write(knobs[i], "cgroup.subtree_control", "+memory +pids +cpu", err) < 0)
            return -1;
    }
    return 0;
}

/* Depth first: a directory goes when those below it have gone. */
static void remove_below(int parent_fd, const char *name, int depth)
{
    enum { DEPTH_MAX = 3 };
    DIR *directory =
        directory_read(openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory)
        return;
    int fd = dirfd(directory);
    struct dirent *item;
    while ((item = readdir(directory))) {
        if (item->d_type != DT_DIR || item->d_name[0] == '.' || depth == DEPTH_MAX)
            continue;
        remove_below(fd, item->d_name, depth + 1);
        unlinkat(fd, item->d_name, AT_REMOVEDIR);
    }
    closedir(directory);
}

bool cgroups_remove(const struct cgroups *cgroups)
{
    bool removed = true;
    for (int i = 0; i < cgroups->count; i++) {
        remove_below(cgroups->parent_fds[i], cgroups->name, 1);
        if (unlinkat(cgroups->parent_fds[i], cgroups->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
            removed = false;
    }
    return removed;
}
