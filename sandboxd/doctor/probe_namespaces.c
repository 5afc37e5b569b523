#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/doctor/probes.h"
#include "sandboxd/remedy/tun.h"
#include "sandboxd/sandbox/namespaces.h"
#include "sandboxd/sandbox/network.h"

int probe_kernel(const void *outer, struct finding *finding, struct error *err)
{
    enum { MAJOR = 5, MINOR = 12 }; /* mount_setattr */
    struct utsname name;
    unsigned major = 0, minor = 0;
    (void)outer;
    finding->step = REMEDY_MOUNTS;
    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    finding_describe(finding, "Linux %s", name.release);
    if (major > MAJOR || (major == MAJOR && minor >= MINOR))
        return 0;
    return error_set(err, ERROR_SYSTEM, "Linux %s is older than %d.%d", name.release, MAJOR, MINOR);
}

/* ---- user namespaces and ids ---- */

static int do_nothing(const void *argument, struct finding *finding, struct error *err)
{
    (void)argument, (void)finding, (void)err;
    return 0;
}

int probe_ids(const void *self, struct finding *finding, struct error *err)
{
    const struct outer *outer = self;
    if (outer_run(outer, do_nothing, NULL, finding, err) < 0)
        return -1;
    finding_describe(finding, "%u from %u on: two for each session", outer->range.count,
                     outer->range.first_uid);
    if (outer->ids != OUTER_WITH_SINGLE)
        return 0;
    finding->step = REMEDY_SUBORDINATE_IDS;
    *err = outer->why;
    return -1;
}

/* What the first process of a session does before anything else. */
static int forbid_further(const void *argument, struct finding *finding, struct error *err)
{
    (void)argument;
    AUTO_CLOSE int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
    finding->step = REMEDY_PROCFS;
    if (fd < 0 || write(fd, "0", 1) != 1)
        return error_from_errno(err, "write max_user_namespaces");
    if (unshare(CLONE_NEWUSER) == 0 || errno != ENOSPC)
        return error_set(err, ERROR_SYSTEM, "max_user_namespaces does not hold");
    return 0;
}

static int nest(const void *outer, struct finding *finding, struct error *err)
{
    if (outer_run_session(outer, 0, forbid_further, NULL, finding, err) < 0)
        return error_add_context(err, "within another");
    return 0;
}

int probe_user_namespace(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "two levels, and no third one");
    return outer_run(outer, nest, outer, finding, err);
}

/* ---- the other namespaces ---- */

struct kind {
    const char *name; /* in /proc/PID/ns */
    uint64_t flag;
    const char *text;                                       /* what is there when it is there */
    int (*use)(struct finding *finding, struct error *err); /* what sessions do in it; or NULL */
};

struct kind_probe {
    const struct kind *kind;
    const struct outer *outer;
    ino_t outside;
};

static ino_t find_own(const struct kind *kind)
{
    char path[32];
    struct stat st;
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind->name);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int look_inside(const void *self, struct finding *finding, struct error *err)
{
    const struct kind_probe *probe = self;
    if (find_own(probe->kind) == probe->outside)
        return error_set(err, ERROR_SYSTEM, "the %s namespace is not a new one", probe->kind->name);
    return probe->kind->use ? probe->kind->use(finding, err) : 0;
}

static int make_kind(const void *self, struct finding *finding, struct error *err)
{
    struct kind_probe probe = *(const struct kind_probe *)self;
    probe.outside = find_own(probe.kind);
    return outer_run_session(probe.outer, probe.kind->flag, look_inside, &probe, finding, err);
}

static int probe_kind(const struct kind *kind, const struct outer *outer, struct finding *finding,
                      struct error *err)
{
    const struct kind_probe probe = {.kind = kind, .outer = outer};
    finding_describe(finding, "%s", kind->text);
    return outer_run(outer, make_kind, &probe, finding, err);
}

static int use_pid(struct finding *finding, struct error *err)
{
    (void)finding;
    return getpid() == 1 ? 0 : error_set(err, ERROR_SYSTEM, "the first process is not number 1");
}

static int use_mounts(struct finding *finding, struct error *err)
{
    finding->step = REMEDY_MOUNTS;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return error_from_errno(err, "make mounts private");
    return 0;
}

/* A datagram to itself. */
static int use_network(struct finding *finding, struct error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    char byte = 0;
    finding->step = REMEDY_LOOPBACK;
    if (network_loopback_up(err) < 0)
        return -1;
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
        sendto(fd, "", 1, 0, (struct sockaddr *)&address, length) != 1 ||
        recv(fd, &byte, 1, 0) != 1)
        return error_from_errno(err, "send over lo");
    return 0;
}

static int use_egress(struct finding *finding, struct error *err)
{
    AUTO_CLOSE int fd = -1;
    (void)finding;
    return network_attach(&fd, err);
}

static int use_uts(struct finding *finding, struct error *err)
{
    (void)finding;
    return sethostname("session", 7) < 0 ? error_from_errno(err, "sethostname") : 0;
}

/* Sessions make another one, after they have joined their cgroup. */
static int use_cgroup(struct finding *finding, struct error *err)
{
    (void)finding;
    return unshare(CLONE_NEWCGROUP) < 0 ? error_from_errno(err, "unshare") : 0;
}

int probe_pid_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"pid", CLONE_NEWPID, "its first process is number 1", use_pid};
    return probe_kind(&kind, outer, finding, err);
}

int probe_mount_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"mnt", CLONE_NEWNS, "private mounts", use_mounts};
    return probe_kind(&kind, outer, finding, err);
}

int probe_network_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"net", CLONE_NEWNET, "lo and nothing else", use_network};
    return probe_kind(&kind, outer, finding, err);
}

/* Only pools with EgressEnabled ask for it, and say the same when it is missing. */
int probe_egress(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"net", CLONE_NEWNET, "sessions can have a network",
                                     use_egress};
    const char *why_not = tun_why_not();
    if (*why_not)
        return error_set(err, ERROR_MISSING, "%s", why_not);
    return probe_kind(&kind, outer, finding, err);
}

int probe_ipc_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"ipc", CLONE_NEWIPC, "shared memory and queues of its own",
                                     NULL};
    return probe_kind(&kind, outer, finding, err);
}

int probe_uts_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"uts", CLONE_NEWUTS, "a host name of its own", use_uts};
    return probe_kind(&kind, outer, finding, err);
}

int probe_cgroup_namespace(const void *outer, struct finding *finding, struct error *err)
{
    static const struct kind kind = {"cgroup", CLONE_NEWCGROUP, "a view of cgroups of its own",
                                     use_cgroup};
    return probe_kind(&kind, outer, finding, err);
}

/* ---- processes by handle ---- */

static int end_waiting(int pid_fd, struct error *err)
{
    int status = 0;
    if (namespaces_signal(pid_fd, SIGKILL, err) < 0 ||
        namespaces_reap(pid_fd, true, &status, err) < 0)
        return -1;
    return status == SIGKILL ? 0 : error_set(err, ERROR_SYSTEM, "a process was not killed");
}

int probe_handles(const void *outer, struct finding *finding, struct error *err)
{
    AUTO_CLOSE int pid_fd = -1;
    (void)outer;
    finding->step = REMEDY_NAMESPACES;
    finding_describe(finding, "clone3, pidfd_send_signal, waitid");
    return child_start_waiting(0, &pid_fd, err) < 0 ? -1 : end_waiting(pid_fd, err);
}

static int join_session(const void *outer, struct finding *finding, struct error *err)
{
    AUTO_CLOSE int pid_fd = -1;
    finding->step = REMEDY_NAMESPACES;
    pid_t pid = child_start_waiting(namespaces_of_a_session(), &pid_fd, err);
    if (pid < 0)
        return -1;
    finding->step = REMEDY_ID_MAP;
    int result = outer_map_session(outer, pid, err);
    finding->step = REMEDY_JOIN;
    if (result == 0)
        result = namespaces_join_for_children(pid_fd, err);
    if (result == 0)
        result = namespaces_join(pid_fd, err);
    /* From inside of the session that process has no number, but the handle still works. */
    struct error ignored;
    end_waiting(pid_fd, result == 0 ? err : &ignored);
    return result;
}

int probe_join(const void *outer, struct finding *finding, struct error *err)
{
    finding_describe(finding, "all namespaces of a session by its pidfd");
    return outer_run(outer, join_session, outer, finding, err);
}
