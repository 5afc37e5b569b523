#include "sandboxd/session/join.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/core/cgroup_place.h"
#include "base/core/cleanup.h"
#include "base/core/knob.h"
#include "base/core/without.h"
#include "sandboxd/control/message.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/mounts.h"

enum { JOIN_FIXED_DESCRIPTORS = 5, JOIN_ZYGOTE_BYTES = 256 * 1024 * 1024 };

int join_read(const struct channel_message *message, struct join *ret_join, struct error *err)
{
    const int *fds = message->fds;
    int count = message->fd_count;
    struct join_message how;
    if (message_read(&message->frame, &how, sizeof how, err) < 0 ||
        count < JOIN_FIXED_DESCRIPTORS + how.audit)
        return error_set(err, ERROR_INVALID, "malformed join message");
    *ret_join = (struct join){
        .channel_fd = fds[0],
        .stdout_fd = fds[1],
        .stderr_fd = fds[2],
        .cgroup_fds = fds + 3,
        .cgroup_count = count - JOIN_FIXED_DESCRIPTORS - how.audit,
        .audit_fd = how.audit ? fds[count - 3] : -1,
        .shell_pid_fd = fds[count - 2],
        .profile_fd = fds[count - 1],
        .how = how,
    };
    return 0;
}

pid_t join_fork(const struct join *join, const struct join_context *context, int *ret_pid_fd,
                struct error *err)
{
    if (namespaces_join_for_children(join->shell_pid_fd, err) < 0)
        return -1;
    struct namespaces_clone how = {
        /* The broker, not the zygote, reaps. */
        .flags = CLONE_PARENT,
        .cgroup_fd = join->how.cgroup_version == 2 ? join->cgroup_fds[0] : -1,
        .tid_address = context->tid_address,
    };
    return namespaces_clone(&how, ret_pid_fd, err);
}

/* v1: the kernel may only look at the files' owner while this process has the broker's id. v2 has
 * placed it at birth. */
static int join_cgroups(const struct join *join, struct error *err)
{
    bool is_v1 = join->how.cgroup_version == 1;
    return is_v1 ? cgroup_place_join(join->cgroup_fds, join->cgroup_count, err) : 0;
}

/* What no cgroup counts for the session as a whole is bound for each process, and for its id. */
static void stand_in_for_cgroups(const struct join_message *how, struct limits_guest *limits)
{
    /* Memory that a process has from the zygote is in the first, but not in the session's share. */
    limits->most[RLIMIT_DATA] = how->memory_bytes + JOIN_ZYGOTE_BYTES;
    limits->most[RLIMIT_NPROC] = how->tasks;
}

/* When memory runs out, guests go first: never the shell that holds their files. */
static int be_the_first_to_go(int proc_fd, struct error *err)
{
    return knob_write(proc_fd, "self/oom_score_adj", "1000", err);
}

static int place_descriptors(const struct join *join, struct error *err)
{
    AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return error_from_errno(err, "open /dev/null");
    if (dup3(STDERR_FILENO, JOIN_LOG_FD, O_CLOEXEC) < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(join->stdout_fd, STDOUT_FILENO) < 0 || dup2(join->stderr_fd, STDERR_FILENO) < 0 ||
        dup3(join->channel_fd, JOIN_CHANNEL_FD, O_CLOEXEC) < 0)
        return error_from_errno(err, "place descriptors");
    bool audited = join->audit_fd >= 0;
    if (audited && dup3(join->audit_fd, JOIN_AUDIT_FD, O_CLOEXEC) < 0)
        return error_from_errno(err, "place descriptors");
    if (LAYER("descriptors") && close_range(STDERR_FILENO + 1, JOIN_CHANNEL_FD - 1, 0) < 0)
        return error_from_errno(err, "close_range");
    return descriptors_close_from(audited ? JOIN_AUDIT_FD + 1 : JOIN_AUDIT_FD, err);
}

/* Nothing that a guest could hold keeps a listener alive. */
static int hand_over(int listener_fd, struct error *err)
{
    int result = channel_send(JOIN_AUDIT_FD, FRAME_LISTENER, 0, NULL, 0, &listener_fd, 1, err);
    close(listener_fd);
    close(JOIN_AUDIT_FD);
    return result;
}

/* A page more than the largest file system holds: one that is full says so itself. */
static int largest_file(uint64_t *ret_bytes, struct error *err)
{
    struct statvfs data, tmp;
    if (statvfs(MOUNTS_DATA_PATH, &data) < 0 || statvfs("/tmp", &tmp) < 0)
        return error_from_errno(err, "look at " MOUNTS_DATA_PATH);
    *ret_bytes =
        ((data.f_blocks > tmp.f_blocks ? data.f_blocks : tmp.f_blocks) + 1) * data.f_frsize;
    return 0;
}

int join_enter(const struct join *join, const struct join_context *context,
               struct profile *ret_profile, struct error *err)
{
    static struct seccomp_filter filter;
    if (profile_read(join->profile_fd, ret_profile, &filter, err) < 0 ||
        join_cgroups(join, err) < 0 || be_the_first_to_go(context->proc_fd, err) < 0 ||
        namespaces_join(join->shell_pid_fd, err) < 0 || place_descriptors(join, err) < 0)
        return -1;
    if (setsid() < 0)
        return error_from_errno(err, "setsid");
    umask(022);
    if (chdir(MOUNTS_DATA_PATH) < 0)
        return error_from_errno(err, "enter " MOUNTS_DATA_PATH);

    struct lockdown_guest guest = {
        .limits = &ret_profile->limits,
        .landlock = &ret_profile->landlock,
        .filter = &filter,
        .outsider = &context->outsider,
    };
    if (join->how.cgroup_version == 0)
        stand_in_for_cgroups(&join->how, &ret_profile->limits);
    if (largest_file(&ret_profile->limits.most[RLIMIT_FSIZE], err) < 0)
        return -1;
    if (join->audit_fd >= 0)
        guest.hand_over = hand_over;
    if (lockdown_enter_guest(&guest, err) < 0)
        return -1;
    close(JOIN_LOG_FD);
    return 0;
}
