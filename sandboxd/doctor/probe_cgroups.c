#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/doctor/probes.h"

/* A probe of the controllers that limit a session: is there a place where this caller may make a
 * directory for it that has their files. */

enum { TABLE_BYTES_MAX = 1024 * 1024, CONTROLLERS = 3 };

static const struct {
    const char *name;
    const char *file_v1, *file_v2;
} controllers[CONTROLLERS] = {
    {"memory", "memory.limit_in_bytes", "memory.max"},
    {"pids", "pids.max", "pids.max"},
    {"cpu", "cpu.cfs_quota_us", "cpu.max"},
};

static char *read_text(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : text_read_all(fd, TABLE_BYTES_MAX, NULL, NULL);
    return text ? text : xstrdup("");
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += length) {
        bool begins = p == list || strchr(", \n", p[-1]);
        if (begins && (p[length] == '\0' || strchr(", \n", p[length])))
            return true;
    }
    return false;
}

/* Where the hierarchy of this controller is mounted (NULL: version 2), from mountinfo(5). */
static bool find_point(const char *controller, char ret_point[PATH_MAX])
{
    AUTO_FREE char *mounts = read_text("/proc/self/mountinfo");
    char *rest = mounts;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *tail = strstr(line, " - ");
        char type[32], options[512];
        if (tail && sscanf(tail, " - %31s %*s %511s", type, options) == 2 &&
            (controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller)
                        : strcmp(type, "cgroup2") == 0))
            return sscanf(line, "%*s %*s %*s %*s %4095s", ret_point) == 1;
    }
    return false;
}

/* Our own place in it, from cgroups(7): "4:memory:/path", or "0::/path". */
static bool find_own(const char *controller, char ret_path[PATH_MAX])
{
    AUTO_FREE char *table = read_text("/proc/self/cgroup");
    char *rest = table;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        if (controller ? has_word(list + 1, controller) : list[1] == '\0') {
            snprintf(ret_path, PATH_MAX, "%s", path);
            return true;
        }
    }
    return false;
}

/* A directory like those of sessions, with the controller's file; removed again. */
static int try_directory(const char *parent, const char *file, struct error *err)
{
    char path[2 * PATH_MAX + 64], inside[2 * PATH_MAX + 128];
    snprintf(path, sizeof path, "%s/sandpool-doctor-%d", parent, (int)getpid());
    if (mkdir(path, 0755) < 0)
        return error_from_errno(err, "make a cgroup in %.300s", parent);
    snprintf(inside, sizeof inside, "%s/%s", path, file);
    int result = access(inside, W_OK);
    int number = errno;
    rmdir(path);
    errno = number;
    return result < 0 ? error_from_errno(err, "%s of a new cgroup in %.300s", file, parent) : 0;
}

static int probe_v1(struct finding *finding, struct error *err)
{
    for (int i = 0; i < CONTROLLERS; i++) {
        char point[PATH_MAX], own[PATH_MAX], place[2 * PATH_MAX];
        if (!find_point(controllers[i].name, point) || !find_own(controllers[i].name, own))
            return error_set(err, ERROR_MISSING, "no hierarchy with the %s controller is mounted",
                             controllers[i].name);
        snprintf(place, sizeof place, "%s%s", point, own);
        if (try_directory(place, controllers[i].file_v1, err) < 0)
            return -1;
    }
    finding_describe(finding, "version 1: memory, pids, cpu");
    return 0;
}

static bool has_controllers(const char *place)
{
    char file[2 * PATH_MAX + 32];
    snprintf(file, sizeof file, "%s/cgroup.controllers", place);
    AUTO_FREE char *list = read_text(file);
    for (int i = 0; i < CONTROLLERS; i++) {
        if (!has_word(list, controllers[i].name))
            return false;
    }
    return true;
}

/* Root uses the top of the tree, others what was delegated to them. */
static int probe_v2(const char *point, const char *own, struct finding *finding, struct error *err)
{
    char place[2 * PATH_MAX], file[2 * PATH_MAX + 32];
    snprintf(place, sizeof place, "%s%s", point, geteuid() == 0 ? "" : own);
    if (!has_controllers(place))
        return error_set(err, ERROR_MISSING, "%.300s has not the controllers memory, pids and cpu",
                         place);
    snprintf(file, sizeof file, "%s/cgroup.subtree_control", place);
    if (access(file, W_OK) < 0)
        return error_from_errno(err, "hand controllers on in %.300s", place);
    if (try_directory(place, "cgroup.procs", err) < 0)
        return -1;
    finding_describe(finding, "version 2: memory, pids, cpu");
    return 0;
}

int probe_cgroups(const void *outer, struct finding *finding, struct error *err)
{
    char point[PATH_MAX], own[PATH_MAX];
    (void)outer;
    finding->step = REMEDY_CGROUPS;
    /* Beside version 1 it is there too, without controllers. */
    if (find_point(NULL, point) && find_own(NULL, own) && has_controllers(point))
        return probe_v2(point, own, finding, err);
    return probe_v1(finding, err);
}
