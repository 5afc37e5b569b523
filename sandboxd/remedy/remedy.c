#include "sandboxd/remedy/remedy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"

/* The oldest kernel with every mandatory layer: mount_setattr. */
enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 12 };

#define STEP(name) (1U << REMEDY_##name)

enum {
    EVERY_STEP = (1 << REMEDY_STEPS) - 1,
    /* What a profile or filter around us may forbid. */
    CONFINED_STEPS = EVERY_STEP & ~(STEP(SUBORDINATE_IDS) | STEP(LANDLOCK) | STEP(CGROUPS)),
    NAMESPACE_STEPS = STEP(USER_NAMESPACE) | STEP(NAMESPACES),
};

/* ---- the options of containers ---- */

static const struct {
    const char *name;
    const char *begin; /* of what to do */
    const char *filter, *profile, *procfs;
    const char *end;
} containers[] = {
    [CONTAINER_DOCKER] = {"Docker", "start the container with", "--security-opt seccomp=unconfined",
                          "--security-opt apparmor=unconfined",
                          "--security-opt systempaths=unconfined", ", or with --privileged"},
    [CONTAINER_PODMAN] = {"Podman", "start the container with", "--security-opt seccomp=unconfined",
                          "--security-opt apparmor=unconfined", "--security-opt unmask=ALL",
                          ", or with --privileged"},
    [CONTAINER_KUBERNETES] = {"Kubernetes", "set in the container's securityContext",
                              "seccompProfile: {type: Unconfined}",
                              "appArmorProfile: {type: Unconfined}", "procMount: Unmasked",
                              ", or privileged: true"},
    [CONTAINER_LXC] = {"LXC", "run, outside: lxc config set NAME security.nesting true", "", "", "",
                       ""},
};

static bool has_options(const struct remedy_facts *facts)
{
    return facts->container != CONTAINER_NONE && facts->container != CONTAINER_OTHER;
}

static bool is_refusal(int number)
{
    return number == EPERM || number == EACCES || number == EROFS;
}

/* Names the options that are missing, and no others. */
static void write_options(const struct remedy_facts *facts, char *ret_text)
{
    snprintf(ret_text, REMEDY_TEXT_MAX, "%s forbids it here: %s%s%s%s%s%s%s%s",
             containers[facts->container].name, containers[facts->container].begin,
             facts->filtered ? " " : "", facts->filtered ? containers[facts->container].filter : "",
             *facts->profile ? " " : "",
             *facts->profile ? containers[facts->container].profile : "",
             facts->proc_covered ? " " : "",
             facts->proc_covered ? containers[facts->container].procfs : "",
             containers[facts->container].end);
}

/* A filter answers ENOSYS too: for clone3 always, for what it does not know sometimes. */
static bool container_confines(const struct remedy_facts *facts, int number)
{
    return has_options(facts) && ((facts->filtered && (is_refusal(number) || number == ENOSYS)) ||
                                  (*facts->profile && is_refusal(number)));
}

static bool container_covers_proc(const struct remedy_facts *facts, int number)
{
    return has_options(facts) && facts->proc_covered && is_refusal(number);
}

/* ---- limits on namespaces ---- */

static int find_zero_limit(const struct remedy_facts *facts)
{
    for (int i = 0; i < FACTS_LIMITS; i++) {
        if (facts->limits[i] == 0)
            return i;
    }
    return -1;
}

static bool limit_is_zero(const struct remedy_facts *facts, int number)
{
    return (number == ENOSPC || number == EUSERS || is_refusal(number)) &&
           find_zero_limit(facts) >= 0;
}

static void write_limit(const struct remedy_facts *facts, char *ret_text)
{
    const char *name = facts_limit_names[find_zero_limit(facts)];
    snprintf(
        ret_text, REMEDY_TEXT_MAX,
        "user.max_%s_namespaces is 0: run sudo sysctl -w user.max_%s_namespaces=15000, and for "
        "good write user.max_%s_namespaces=15000 into /etc/sysctl.d/90-sandpool.conf",
        name, name, name);
}

static bool limit_is_reached(const struct remedy_facts *facts, int number)
{
    (void)facts;
    return number == ENOSPC || number == EUSERS;
}

/* ---- other causes ---- */

static bool is_gvisor(const struct remedy_facts *facts, int number)
{
    (void)number;
    return facts->gvisor;
}

static bool is_wsl1(const struct remedy_facts *facts, int number)
{
    (void)number;
    return facts->wsl1;
}

static bool clone_is_off(const struct remedy_facts *facts, int number)
{
    return is_refusal(number) && facts->unprivileged_clone == 0;
}

static bool apparmor_restricts(const struct remedy_facts *facts, int number)
{
    return is_refusal(number) && facts->apparmor_restricts > 0;
}

static bool root_is_changed(const struct remedy_facts *facts, int number)
{
    return number == EPERM && facts->changed_root;
}

static bool proc_is_covered(const struct remedy_facts *facts, int number)
{
    return is_refusal(number) && facts->proc_covered;
}

static bool is_filtered(const struct remedy_facts *facts, int number)
{
    return facts->filtered && (is_refusal(number) || number == ENOSYS);
}

static bool is_profiled(const struct remedy_facts *facts, int number)
{
    return *facts->profile && is_refusal(number);
}

static bool kernel_is_old(const struct remedy_facts *facts, int number)
{
    (void)number;
    return facts->kernel_major &&
           (facts->kernel_major < KERNEL_MAJOR ||
            (facts->kernel_major == KERNEL_MAJOR && facts->kernel_minor < KERNEL_MINOR));
}

static bool is_unknown(const struct remedy_facts *facts, int number)
{
    (void)facts;
    return number == ENOSYS || number == EINVAL;
}

static bool is_missing(const struct remedy_facts *facts, int number)
{
    (void)facts;
    return number == ENOENT;
}

static bool gains_nothing(const struct remedy_facts *facts, int number)
{
    (void)number;
    return facts->no_new_privileges;
}

static bool is_switched_off(const struct remedy_facts *facts, int number)
{
    (void)facts;
    return number == EOPNOTSUPP;
}

/* No step failed. */
static bool is_degraded(const struct remedy_facts *facts, int number)
{
    (void)facts;
    return number == 0;
}

static bool has_systemd(const struct remedy_facts *facts, int number)
{
    (void)number;
    return facts->systemd;
}

static bool is_contained(const struct remedy_facts *facts, int number)
{
    (void)number;
    return has_options(facts);
}

static bool always(const struct remedy_facts *facts, int number)
{
    (void)facts, (void)number;
    return true;
}

/* The first row that applies is the answer. What is certain comes before what is likely. */
static const struct {
    unsigned steps;
    bool (*applies)(const struct remedy_facts *facts, int number);
    const char *text;
    void (*write)(const struct remedy_facts *facts, char *ret_text); /* instead of text */
} causes[] = {
    {EVERY_STEP, is_gvisor,
     "this is gVisor, which has not all that sessions need: use another container runtime (runc), "
     "or a virtual machine",
     NULL},
    {EVERY_STEP, is_wsl1,
     "this is WSL 1, which has no namespaces: run, in Windows, wsl --set-version DISTRIBUTION 2",
     NULL},
    {NAMESPACE_STEPS, limit_is_zero, NULL, write_limit},
    {NAMESPACE_STEPS, limit_is_reached,
     "a limit on namespaces is reached, ours or that of a user namespace around us: run, outside, "
     "sudo sysctl -w user.max_user_namespaces=15000",
     NULL},
    {STEP(USER_NAMESPACE), clone_is_off,
     "kernel.unprivileged_userns_clone is 0: run sudo sysctl -w "
     "kernel.unprivileged_userns_clone=1, "
     "or start sandboxd as root",
     NULL},
    {CONFINED_STEPS, container_confines, NULL, write_options},
    {STEP(PROCFS), container_covers_proc, NULL, write_options},
    {CONFINED_STEPS, apparmor_restricts,
     "kernel.apparmor_restrict_unprivileged_userns is 1: run sudo sysctl -w "
     "kernel.apparmor_restrict_unprivileged_userns=0, or start sandboxd as root, or give it an "
     "AppArmor profile that has \"userns,\"",
     NULL},
    {STEP(USER_NAMESPACE), root_is_changed,
     "the kernel makes no user namespaces in a chroot: start sandboxd outside of it, or use "
     "systemd-nspawn or bwrap instead of chroot",
     NULL},
    {STEP(PROCFS), proc_is_covered,
     "parts of /proc are covered by other mounts, and the kernel makes no procfs that would show "
     "more: take those away that findmnt -R /proc lists",
     NULL},
    {CONFINED_STEPS, is_filtered,
     "a system call filter of whoever started this process forbids it: in a systemd unit set "
     "RestrictNamespaces=no and SystemCallFilter= (empty), in a container seccomp=unconfined",
     NULL},
    {CONFINED_STEPS, is_profiled,
     "this process is confined by an AppArmor profile (cat /proc/self/attr/apparmor/current): "
     "start it "
     "unconfined, or allow \"userns,\", \"mount,\" and \"pivot_root,\" in that profile",
     NULL},
    {EVERY_STEP & ~(STEP(LANDLOCK) | STEP(SUBORDINATE_IDS)), kernel_is_old,
     "the kernel is too old: Linux 5.12 or newer is needed", NULL},
    {NAMESPACE_STEPS, is_unknown,
     "the kernel is built without some kind of namespace: use one with CONFIG_NAMESPACES, USER_NS, "
     "PID_NS, NET_NS, IPC_NS, UTS_NS and CGROUPS, as distributions ship it",
     NULL},
    {STEP(FILTER), is_unknown,
     "the kernel is built without CONFIG_SECCOMP_FILTER: use one of a distribution", NULL},

    {STEP(SUBORDINATE_IDS), is_missing,
     "newuidmap and newgidmap are not installed: run sudo apt-get install uidmap (elsewhere the "
     "package is named shadow-utils), or start with --allow-missing ids",
     NULL},
    {STEP(SUBORDINATE_IDS), gains_nothing,
     "newuidmap gains no privilege under no_new_privs: start without Docker's --security-opt "
     "no-new-privileges or systemd's NoNewPrivileges=yes",
     NULL},
    {STEP(SUBORDINATE_IDS), always,
     "to give this account a range of subordinate ids run sudo usermod --add-subuids "
     "100000-165535 --add-subgids 100000-165535 \"$(id -un)\" (with numbers that /etc/subuid gives "
     "to nobody else), or start with --allow-missing ids",
     NULL},

    {STEP(LANDLOCK), is_degraded, "use Linux 6.12 or newer for the rest of Landlock", NULL},
    {STEP(LANDLOCK), is_switched_off,
     "the kernel has Landlock but it is not switched on: add landlock to lsm= on its command line, "
     "in front of what cat /sys/kernel/security/lsm prints; or start with --allow-missing landlock",
     NULL},
    {STEP(LANDLOCK), always,
     "the kernel has no Landlock: use Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK, or start "
     "with --allow-missing landlock",
     NULL},

    {STEP(CGROUPS), is_contained,
     "this container may not make cgroups: start it with --privileged, or start sandboxd with "
     "--allow-missing cgroup",
     NULL},
    {STEP(CGROUPS), has_systemd,
     "this process may not make cgroups: start sandboxd below systemd-run --user --scope -p "
     "Delegate=yes, or as root, or with --allow-missing cgroup",
     NULL},
    {STEP(CGROUPS), always,
     "this process may not make cgroups: start sandboxd as root where the controllers memory, pids "
     "and cpu are mounted, or with --allow-missing cgroup",
     NULL},
    {EVERY_STEP, always, "start sandboxd as root, outside of containers, or in a virtual machine",
     NULL},
};

void remedy_find(enum remedy_step step, int number, const struct remedy_facts *facts,
                 char ret_text[REMEDY_TEXT_MAX])
{
    size_t i = 0; /* the last row takes everything */
    while (!(causes[i].steps & 1U << step) || !causes[i].applies(facts, number))
        i++;
    if (causes[i].write)
        causes[i].write(facts, ret_text);
    else
        snprintf(ret_text, REMEDY_TEXT_MAX, "%s", causes[i].text);
}

int remedy_append(enum remedy_step step, struct error *err)
{
    AUTO_CLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct remedy_facts facts;
    char text[REMEDY_TEXT_MAX];
    if (!err)
        return -1;
    facts_read(root_fd, &facts);
    remedy_find(step, err->number, &facts, text);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, ". %s", text);
    return -1;
}

int remedy_miss(enum layer layer, enum remedy_step step, uint32_t allowed, struct error *err)
{
    int number = err->number;
    if (layer_miss(layer, allowed, err->message, err) == 0)
        return 0;
    err->number = number;
    return remedy_append(step, err);
}
