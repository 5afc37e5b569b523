#include "sandboxd/sandbox/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/without.h"
#include "sandboxd/sandbox/capabilities.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/mounts.h"

#define FRONT_STATE_PATH "/state"

/* One of our own processes: files in one directory, where it may write, and none elsewhere. */
static int restrict_to(const char *directory, bool isolated, struct error *err)
{
    struct landlock_rules rules = {
        .rules = {{.access = LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_CHANGE}},
        .count = 1,
    };
    snprintf(rules.rules[0].path, sizeof rules.rules[0].path, "%s", directory);
    if (LAYER("landlock-own") && landlock_restrict(&rules, isolated, err) < 0)
        return -1;
    return landlock_require(directory, err);
}

static int no_new_privileges(struct error *err)
{
    if (LAYER("no-new-privileges") && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_from_errno(err, "PR_SET_NO_NEW_PRIVS");
    return 0;
}

static int verify_guest(const struct lockdown_guest *guest, struct error *err)
{
    uid_t real, effective, saved;
    getresuid(&real, &effective, &saved);
    if (LAYER("guest-id") &&
        (real != SESSION_GUEST_ID || effective != SESSION_GUEST_ID || saved != SESSION_GUEST_ID))
        return error_set(err, ERROR_DENIED, "the id is %u, not %d", effective, SESSION_GUEST_ID);
    if (LAYER("dumpable") && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_set(err, ERROR_DENIED, "the process is dumpable");
    if (capabilities_require_none(err) < 0 || mounts_require_contained(err) < 0)
        return -1;

    AUTO_CLOSE int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct namespaces_identity own;
    if (proc_fd < 0)
        return error_from_errno(err, "open /proc");
    if (namespaces_identify(proc_fd, &own, err) < 0 ||
        namespaces_require_distinct(&own, guest->outsider, err) < 0)
        return -1;
    return LAYER("seccomp-guest") ? seccomp_filter_require(err) : 0;
}

static int load_filter(const struct lockdown_guest *guest, struct error *err)
{
    int listener_fd;
    if (!guest->hand_over)
        return seccomp_filter_load(guest->filter, err);
    if (seccomp_filter_load_asking(guest->filter, &listener_fd, err) < 0)
        return -1;
    return guest->hand_over(listener_fd, err);
}

/* Order matters: limits and bounds need privilege, leaving id 0 empties the capability sets, the
 * filter comes last because it forbids the rest. */
int lockdown_enter_guest(const struct lockdown_guest *guest, struct error *err)
{
    if (LAYER("limits") && limits_apply(guest->limits, err) < 0)
        return error_add_context(err, "resource limits");
    if (capabilities_close_bounds(err) < 0)
        return error_add_context(err, "capability bounds");
    if (LAYER("guest-id") && idmap_become(SESSION_GUEST_ID, err) < 0)
        return error_add_context(err, "guest id");
    if (capabilities_keep(NULL, 0, err) < 0)
        return error_add_context(err, "capabilities");
    if (limits_protect_memory(err) < 0)
        return error_add_context(err, "memory protection");
    if (landlock_restrict(guest->landlock, true, err) < 0 ||
        landlock_require(MOUNTS_DATA_PATH, err) < 0)
        return error_add_context(err, "Landlock");
    if (LAYER("seccomp-guest") && load_filter(guest, err) < 0)
        return error_add_context(err, "system call filter");
    if (verify_guest(guest, err) < 0)
        return error_add_context(err, "check of the lock-down");
    return 0;
}

int lockdown_enter_broker(const struct seccomp_filter *filter, struct error *err)
{
    if (!LAYER("seccomp-broker"))
        return 0;
    if (seccomp_filter_load(filter, err) < 0)
        return -1;
    /* An operation that does not exist: no kernel says EPERM by itself. */
    if (syscall(SYS_keyctl, -1, 0, 0, 0, 0) != -1 || errno != EPERM)
        return error_set(err, ERROR_DENIED, "the filter does not refuse keyctl");
    return 0;
}

static int enter_filter(const struct seccomp_filter *filter, struct error *err)
{
    if (seccomp_filter_load(filter, err) < 0)
        return -1;
    return seccomp_filter_require(err);
}

int lockdown_enter_shell(const struct seccomp_filter *filter, struct error *err)
{
    static const cap_value_t kept[] = {CAP_KILL, CAP_SETUID, CAP_SETGID, CAP_SETPCAP};
    /* Its file helpers inherit the rules. Not isolated: it kills guests. Checked while nothing but
     * Landlock would say EACCES. */
    if (limits_protect_memory(err) < 0 || no_new_privileges(err) < 0 ||
        restrict_to(MOUNTS_DATA_PATH, false, err) < 0 ||
        capabilities_keep(kept, sizeof kept / sizeof *kept, err) < 0)
        return -1;
    return LAYER("seccomp-shell") ? enter_filter(filter, err) : 0;
}

int lockdown_enter_file_helper(const struct seccomp_filter *filter, struct error *err)
{
    if (capabilities_close_bounds(err) < 0)
        return -1;
    /* Only the file-system ids: the guest may not signal a process whose real id is another. */
    setfsgid(SESSION_GUEST_ID);
    setfsuid(SESSION_GUEST_ID);
    if (setfsgid((gid_t)-1) != SESSION_GUEST_ID || setfsuid((uid_t)-1) != SESSION_GUEST_ID)
        return error_set(err, ERROR_DENIED, "the file-system id did not change");
    if (capabilities_keep(NULL, 0, err) < 0 || capabilities_require_none(err) < 0)
        return -1;
    return LAYER("seccomp-helper") ? enter_filter(filter, err) : 0;
}

/* By the name it has in the front's root; afterwards no descriptor leads out of that root. */
static int reopen_state(int state_fd, struct error *err)
{
    AUTO_CLOSE int fd = open(FRONT_STATE_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || dup3(fd, state_fd, O_CLOEXEC) < 0)
        return error_from_errno(err, "open the state directory");
    return 0;
}

int lockdown_enter_egress(uid_t id, const char *resolv_conf, const struct seccomp_filter *filter,
                          struct error *err)
{
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0)
        return error_from_errno(err, "unshare");
    if ((LAYER("egress-root") && mounts_lone_file("etc/resolv.conf", resolv_conf, err) < 0) ||
        capabilities_close_bounds(err) < 0 || idmap_become(id, err) < 0 ||
        capabilities_keep(NULL, 0, err) < 0 || capabilities_require_none(err) < 0 ||
        limits_protect_memory(err) < 0)
        return -1;
    return LAYER("seccomp-egress") ? enter_filter(filter, err) : 0;
}

int lockdown_enter_front(uid_t id, int state_fd, const struct seccomp_filter *filter,
                         struct error *err)
{
    AUTO_CLOSE int own_fd = -1;
    if (descriptors_close_from((unsigned)state_fd + 1, err) < 0 ||
        mounts_unshare(state_fd, &own_fd, err) < 0)
        return -1;
    if (LAYER("front-namespaces") && unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
        return error_from_errno(err, "unshare");
    if ((LAYER("front-root") && mounts_lone_directory(own_fd, &FRONT_STATE_PATH[1], err) < 0) ||
        capabilities_close_bounds(err) < 0 || (LAYER("front-id") && idmap_become(id, err) < 0) ||
        reopen_state(state_fd, err) < 0 || capabilities_keep(NULL, 0, err) < 0)
        return -1;
    if (limits_protect_memory(err) < 0 || no_new_privileges(err) < 0 ||
        restrict_to(FRONT_STATE_PATH, true, err) < 0 || capabilities_require_none(err) < 0)
        return -1;
    return LAYER("seccomp-front") ? enter_filter(filter, err) : 0;
}
