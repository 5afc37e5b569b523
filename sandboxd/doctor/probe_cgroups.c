#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cgroup_place.h"
#include "base/core/cleanup.h"
#include "sandboxd/doctor/probes.h"

/* A probe of the controllers that limit a session: is there a place where this caller may make a
 * directory for it that has their files. */

/* In the order of cgroup_place_controllers. */
static const char *const limits_v1[CGROUP_PLACE_CONTROLLERS] = {"memory.limit_in_bytes", "pids.max",
                                                                "cpu.cfs_quota_us"};

/* For messages. */
struct place_name {
    char text[PATH_MAX];
};
static struct place_name name_of(int dir_fd)
{
    struct place_name name = {0};
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
    if (readlink(link, name.text, sizeof name.text - 1) < 0)
        snprintf(name.text, sizeof name.text, "the cgroup tree");
    return name;
}

/* A directory like those of sessions, with the controller's file; removed again. */
static int try_directory(int parent_fd, const char *file, struct error *err)
{
    char name[64], inside[128];
    snprintf(name, sizeof name, "sandpool-doctor-%d", (int)getpid());
    if (mkdirat(parent_fd, name, 0755) < 0)
        return error_from_errno(err, "make a cgroup in %.300s", name_of(parent_fd).text);
    snprintf(inside, sizeof inside, "%s/%s", name, file);
    int result = faccessat(parent_fd, inside, W_OK, 0);
    int number = errno;
    unlinkat(parent_fd, name, AT_REMOVEDIR);
    errno = number;
    if (result < 0)
        return error_from_errno(err, "%s of a new cgroup in %.300s", file, name_of(parent_fd).text);
    return 0;
}

static int probe_v1(struct finding *finding, struct error *err)
{
    for (int i = 0; i < CGROUP_PLACE_CONTROLLERS; i++) {
        AUTO_CLOSE int place_fd = cgroup_place_open(cgroup_place_controllers[i], false, err);
        if (place_fd < 0 || try_directory(place_fd, limits_v1[i], err) < 0)
            return -1;
    }
    finding_describe(finding, "version 1: memory, pids, cpu");
    return 0;
}

/* Root uses the top of the tree, others what was delegated to them. */
static int probe_v2(struct finding *finding, struct error *err)
{
    AUTO_CLOSE int place_fd = cgroup_place_open(NULL, geteuid() == 0, err);
    if (place_fd < 0)
        return -1;
    if (!cgroup_place_has_controllers(place_fd))
        return error_set(err, ERROR_MISSING, "%.300s has not the controllers memory, pids and cpu",
                         name_of(place_fd).text);
    if (faccessat(place_fd, "cgroup.subtree_control", W_OK, 0) < 0)
        return error_from_errno(err, "hand controllers on in %.300s", name_of(place_fd).text);
    if (try_directory(place_fd, "cgroup.procs", err) < 0)
        return -1;
    finding_describe(finding, "version 2: memory, pids, cpu");
    return 0;
}

int probe_cgroups(const void *outer, struct finding *finding, struct error *err)
{
    (void)outer;
    finding->step = REMEDY_CGROUPS;
    /* Beside version 1 it is there too, without controllers. */
    AUTO_CLOSE int top_fd = cgroup_place_open(NULL, true, NULL);
    if (top_fd >= 0 && cgroup_place_has_controllers(top_fd))
        return probe_v2(finding, err);
    return probe_v1(finding, err);
}
