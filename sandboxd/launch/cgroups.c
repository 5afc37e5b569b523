#include "sandboxd/launch/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/text.h"

enum { CGROUPS_PATH_MAX = 1024, CGROUPS_LINE_MAX = 4096 };

/* Where the daemon itself is: it marks the tree as in use. */
static const char own_leaf[] = "broker";

static const char *const controllers[CGROUPS_MAX] = {"memory", "pids", "cpu"};

/* One word of a list separated by `separator`. */
static bool has_word(const char *list, const char *word, char separator)
{
    size_t length = strlen(word);
    for (const char *p = list; p; p = strchr(p, separator), p = p ? p + 1 : NULL) {
        if (strncmp(p, word, length) == 0 &&
            (p[length] == separator || p[length] == '\0' || p[length] == '\n'))
            return true;
    }
    return false;
}

/* Where the hierarchy with this controller (NULL: v2) is mounted, from mountinfo(5):
 * "36 35 98:0 ROOT POINT options - cgroup source rw,memory". */
static bool find_mount(const char *controller, char *ret_root, char *ret_point)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[CGROUPS_LINE_MAX];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *rest = strstr(line, " - ");
        char type[64], source[256], options[1024];
        if (!rest || sscanf(rest, " - %63s %255s %1023s", type, source, options) != 3)
            continue;
        found = controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller, ',')
                           : strcmp(type, "cgroup2") == 0;
        if (found)
            found = sscanf(line, "%*s %*s %*s %1023s %1023s", ret_root, ret_point) == 2;
    }
    if (file)
        fclose(file);
    return found;
}

/* This process's path in that hierarchy, from /proc/self/cgroup: "4:memory:/path" or "0::/path". */
static bool find_own_path(const char *controller, char *ret_path)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[CGROUPS_LINE_MAX];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        found = controller ? has_word(list + 1, controller, ',') : list[1] == '\0';
        if (found)
            snprintf(ret_path, CGROUPS_PATH_MAX, "%.*s", CGROUPS_PATH_MAX - 1, path);
    }
    if (file)
        fclose(file);
    return found;
}

static int open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool has_controllers(int dir_fd)
{
    char text[512] = {0};
    AUTO_CLOSE int fd = openat(dir_fd, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        return false;
    for (int i = 0; i < CGROUPS_MAX; i++) {
        if (!has_word(text, controllers[i], ' '))
            return false;
    }
    return true;
}

static int write_file(int dir_fd, const char *name, const char *text, struct error *err)
{
    AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_from_errno(err, "write cgroup file %s", name);
    return 0;
}

/* Our own place in the hierarchy with this controller (NULL: v2), so that limits above us go on to
 * hold. */
static int open_own_place(const char *controller, struct error *err)
{
    char root[CGROUPS_PATH_MAX], point[CGROUPS_PATH_MAX], own[CGROUPS_PATH_MAX];
    char path[2 * CGROUPS_PATH_MAX];
    if (!find_mount(controller, root, point) || !find_own_path(controller, own))
        return error_set(err, ERROR_MISSING,
                         "no cgroup hierarchy with the %s controller is mounted; sessions need "
                         "cgroup v2 or v1 with memory, pids and cpu",
                         controller ? controller : "memory");
    const char *below =
        text_starts_with(own, root) && strcmp(root, "/") != 0 ? own + strlen(root) : own;
    snprintf(path, sizeof path, "%s%s", point, below);
    int fd = open_directory(path);
    return fd < 0 ? error_from_errno(err, "open cgroup %.400s", path) : fd;
}

/* v2: for root the root of the tree, which may hold processes and controllers both; for an ordinary
 * user what has been delegated to him. */
static bool find_v2(bool is_delegated, struct cgroups *cgroups)
{
    char root[CGROUPS_PATH_MAX], point[CGROUPS_PATH_MAX];
    if (!find_mount(NULL, root, point))
        return false;
    int fd = is_delegated ? open_own_place(NULL, NULL) : open_directory(point);
    if (fd < 0 || !has_controllers(fd)) {
        close_fd(&fd);
        return false;
    }
    cgroups->version = 2;
    cgroups->count = 1;
    cgroups->parent_fds[0] = fd;
    return true;
}

static int find_v1(struct cgroups *cgroups, struct error *err)
{
    cgroups->version = 1;
    for (int i = 0; i < CGROUPS_MAX; i++) {
        cgroups->parent_fds[i] = open_own_place(controllers[i], err);
        if (cgroups->parent_fds[i] < 0)
            return -1;
        cgroups->count = i + 1;
    }
    return 0;
}

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

static void close_parents(struct cgroups *cgroups)
{
    for (int i = 0; i < cgroups->count; i++)
        close_fd(&cgroups->parent_fds[i]);
}

int cgroups_make(unsigned number, uid_t owner, bool is_delegated, struct cgroups *ret_cgroups,
                 struct error *err)
{
    struct cgroups cgroups = {.own_fds = {-1, -1, -1}, .parent_fds = {-1, -1, -1}};
    snprintf(cgroups.name, sizeof cgroups.name, "sandpool-%u", number);
    if (!find_v2(is_delegated, &cgroups) && find_v1(&cgroups, err) < 0)
        return -1;

    if (is_alive(&cgroups) || !cgroups_remove(&cgroups)) {
        close_parents(&cgroups);
        return error_set(err, ERROR_CONFLICT, "cgroup %s is in use", cgroups.name);
    }
    if (make_own(&cgroups, owner, err) < 0) {
        cgroups_remove(&cgroups);
        return -1;
    }
    *ret_cgroups = cgroups;
    return 0;
}

int cgroups_enter(const struct cgroups *cgroups, struct error *err)
{
    char path[CGROUPS_NAME_MAX];
    snprintf(path, sizeof path, "%s/cgroup.procs", own_leaf);
    for (int i = 0; i < cgroups->count; i++) {
        if (write_file(cgroups->own_fds[i], path, "0", err) < 0)
            return -1;
    }
    /* Only now: what has controllers below it may hold no process, the root of the tree excepted.
     */
    const int knobs[] = {cgroups->parent_fds[0], cgroups->own_fds[0]};
    for (int i = 0; cgroups->version == 2 && i < 2; i++) {
        if (write_file(knobs[i], "cgroup.subtree_control", "+memory +pids +cpu", err) < 0)
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
