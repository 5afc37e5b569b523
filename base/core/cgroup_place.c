#include "base/core/cgroup_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

enum { PLACE_PATH_MAX = 1024, PLACE_LINE_MAX = 4096 };

const char *const cgroup_place_controllers[] = {"memory", "pids", "cpu"};

bool cgroup_place_lists(const char *list, const char *word, char separator)
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
    char line[PLACE_LINE_MAX];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *rest = strstr(line, " - ");
        char type[64], source[256], options[1024];
        if (!rest || sscanf(rest, " - %63s %255s %1023s", type, source, options) != 3)
            continue;
        found = controller
                    ? strcmp(type, "cgroup") == 0 && cgroup_place_lists(options, controller, ',')
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
    char line[PLACE_LINE_MAX];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        found = controller ? cgroup_place_lists(list + 1, controller, ',') : list[1] == '\0';
        if (found)
            snprintf(ret_path, PLACE_PATH_MAX, "%.*s", PLACE_PATH_MAX - 1, path);
    }
    if (file)
        fclose(file);
    return found;
}

bool cgroup_place_has_controllers(int dir_fd)
{
    char text[512] = {0};
    AUTO_CLOSE int fd = openat(dir_fd, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        return false;
    for (int i = 0; i < CGROUP_PLACE_CONTROLLERS; i++) {
        if (!cgroup_place_lists(text, cgroup_place_controllers[i], ' '))
            return false;
    }
    return true;
}

int cgroup_place_open(const char *controller, bool at_root, struct error *err)
{
    char root[PLACE_PATH_MAX], point[PLACE_PATH_MAX], own[PLACE_PATH_MAX];
    char path[2 * PLACE_PATH_MAX];
    if (!find_mount(controller, root, point) || !find_own_path(controller, own))
        return error_set(err, ERROR_MISSING,
                         "no cgroup hierarchy with the %s controller is mounted; sessions need "
                         "cgroup v2 or v1 with memory, pids and cpu",
                         controller ? controller : "memory");
    const char *below =
        text_starts_with(own, root) && strcmp(root, "/") != 0 ? own + strlen(root) : own;
    snprintf(path, sizeof path, "%s%s", point, at_root ? "" : below);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_from_errno(err, "open cgroup %.400s", path) : fd;
}

int cgroup_place_find(bool at_root, int ret_fds[CGROUP_PLACE_CONTROLLERS], int *ret_count,
                      struct error *err)
{
    ret_fds[0] = cgroup_place_open(NULL, at_root, NULL);
    *ret_count = 1;
    if (ret_fds[0] >= 0 && cgroup_place_has_controllers(ret_fds[0]))
        return 2;
    close_fd(&ret_fds[0]);
    for (int i = 0; i < CGROUP_PLACE_CONTROLLERS; i++) {
        ret_fds[i] = cgroup_place_open(cgroup_place_controllers[i], false, err);
        if (ret_fds[i] < 0) {
            while (i-- > 0)
                close_fd(&ret_fds[i]);
            return -1;
        }
    }
    *ret_count = CGROUP_PLACE_CONTROLLERS;
    return 1;
}

int cgroup_place_join(const int *procs_fds, int count, struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (write(procs_fds[i], "0", 1) != 1)
            return error_from_errno(err, "join a cgroup");
    }
    return 0;
}
