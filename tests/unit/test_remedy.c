#include "tests/support/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandboxd/remedy/remedy.h"
#include "tests/support/state_directory.h"

#define UNLIMITED                                                                                  \
    {                                                                                              \
        100, 100, 100, 100, 100, 100, 100                                                          \
    }

/* Each row imitates a machine on which one step failed. */
static const struct {
    const char *machine;
    enum remedy_step step;
    int number;
    struct remedy_facts facts;
    const char *names;  /* what the sentence must name */
    const char *spares; /* and what it must not, or NULL */
} cases[] = {
    {"Debian with the switch off",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = -1, .unprivileged_clone = 0, .limits = UNLIMITED},
     "sysctl -w kernel.unprivileged_userns_clone=1",
     NULL},
    {"Red Hat with a limit of 0",
     REMEDY_USER_NAMESPACE,
     ENOSPC,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = {0, 1, 1, 1, 1, 1, 1}},
     "sysctl -w user.max_user_namespaces=",
     NULL},
    {"the same for networks",
     REMEDY_NAMESPACES,
     ENOSPC,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = {1, 1, 1, 0, 1, 1, 1}},
     "sysctl -w user.max_net_namespaces=",
     NULL},
    {"a limit of a namespace around",
     REMEDY_USER_NAMESPACE,
     ENOSPC,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = UNLIMITED},
     "sysctl -w user.max_user_namespaces=",
     NULL},
    {"Ubuntu 24.04, at the first step",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = 1, .unprivileged_clone = 1, .limits = UNLIMITED},
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
     NULL},
    {"Ubuntu 24.04, at the map",
     REMEDY_ID_MAP,
     EACCES,
     {.apparmor_restricts = 1, .unprivileged_clone = 1, .limits = UNLIMITED},
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
     NULL},
    {"Ubuntu 24.04, at lo",
     REMEDY_LOOPBACK,
     EPERM,
     {.apparmor_restricts = 1,
      .unprivileged_clone = 1,
      .limits = UNLIMITED,
      .profile = "unprivileged_userns"},
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
     NULL},
    {"Docker as it comes",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = 1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .filtered = true,
      .container = CONTAINER_DOCKER,
      .profile = "docker-default",
      .proc_covered = true},
     "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
     "systempaths=unconfined",
     NULL},
    {"Docker, where clone3 is ENOSYS",
     REMEDY_NAMESPACES,
     ENOSYS,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .filtered = true,
      .container = CONTAINER_DOCKER},
     "--security-opt seccomp=unconfined",
     "systempaths"},
    {"Docker without its filter",
     REMEDY_MOUNTS,
     EACCES,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .container = CONTAINER_DOCKER,
      .profile = "docker-default"},
     "--security-opt apparmor=unconfined",
     "seccomp=unconfined"},
    {"Docker with masked paths",
     REMEDY_PROCFS,
     EPERM,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .container = CONTAINER_DOCKER,
      .proc_covered = true},
     "--security-opt systempaths=unconfined",
     "seccomp=unconfined"},
    {"Podman with masked paths",
     REMEDY_PROCFS,
     EPERM,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .container = CONTAINER_PODMAN,
      .proc_covered = true},
     "--security-opt unmask=ALL",
     NULL},
    {"Kubernetes",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .filtered = true,
      .container = CONTAINER_KUBERNETES,
      .proc_covered = true},
     "seccompProfile: {type: Unconfined} procMount: Unmasked",
     NULL},
    {"masked paths of nobody known",
     REMEDY_PROCFS,
     EPERM,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .proc_covered = true},
     "findmnt -R /proc",
     NULL},
    {"a unit of systemd with a filter",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = UNLIMITED, .filtered = true},
     "RestrictNamespaces=no",
     NULL},
    {"a chroot",
     REMEDY_USER_NAMESPACE,
     EPERM,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .changed_root = true},
     "outside of it",
     NULL},
    {"an old kernel",
     REMEDY_MOUNTS,
     ENOSYS,
     {.apparmor_restricts = -1,
      .unprivileged_clone = -1,
      .limits = UNLIMITED,
      .kernel_major = 5,
      .kernel_minor = 10},
     "Linux 5.12 or newer",
     NULL},
    {"a kernel without user namespaces",
     REMEDY_USER_NAMESPACE,
     EINVAL,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = UNLIMITED, .kernel_major = 6},
     "USER_NS",
     NULL},
    {"gVisor", REMEDY_PROCFS, EPERM, {.gvisor = true, .limits = UNLIMITED}, "gVisor", NULL},
    {"WSL 1",
     REMEDY_USER_NAMESPACE,
     EINVAL,
     {.wsl1 = true, .limits = UNLIMITED},
     "wsl --set-version",
     NULL},
    {"no uidmap",
     REMEDY_SUBORDINATE_IDS,
     ENOENT,
     {.unprivileged_clone = -1, .limits = UNLIMITED},
     "apt-get install uidmap",
     NULL},
    {"no range",
     REMEDY_SUBORDINATE_IDS,
     EPERM,
     {.unprivileged_clone = -1, .limits = UNLIMITED},
     "usermod --add-subuids",
     NULL},
    {"no_new_privs",
     REMEDY_SUBORDINATE_IDS,
     EPERM,
     {.unprivileged_clone = -1, .limits = UNLIMITED, .no_new_privileges = true},
     "no-new-privileges",
     NULL},
    {"Landlock not switched on", REMEDY_LANDLOCK, EOPNOTSUPP, {.limits = UNLIMITED}, "lsm=", NULL},
    {"an old Landlock",
     REMEDY_LANDLOCK,
     0,
     {.limits = UNLIMITED, .kernel_major = 6, .kernel_minor = 1},
     "Linux 6.12",
     "--allow-missing"},
    {"no Landlock",
     REMEDY_LANDLOCK,
     ENOSYS,
     {.limits = UNLIMITED, .kernel_major = 5},
     "--allow-missing landlock",
     NULL},
    {"no cgroups, with systemd",
     REMEDY_CGROUPS,
     EACCES,
     {.limits = UNLIMITED, .systemd = true},
     "systemd-run --user --scope -p Delegate=yes",
     NULL},
    {"no cgroups in Docker",
     REMEDY_CGROUPS,
     EROFS,
     {.limits = UNLIMITED, .container = CONTAINER_DOCKER},
     "--privileged",
     NULL},
    {"nothing known",
     REMEDY_JOIN,
     EPERM,
     {.apparmor_restricts = -1, .unprivileged_clone = -1, .limits = UNLIMITED},
     "as root",
     NULL},
};

static void each_machine_gets_the_remedy_that_helps_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[REMEDY_TEXT_MAX];
        remedy_find(cases[i].step, cases[i].number, &cases[i].facts, text);
        if (!strstr(text, cases[i].names))
            fail_msg("%s: %s", cases[i].machine, text);
        if (cases[i].spares && strstr(text, cases[i].spares))
            fail_msg("%s: %s", cases[i].machine, text);
    }
}

static void every_step_has_a_remedy_whatever_the_error(void **state)
{
    (void)state;
    static const int numbers[] = {0, EPERM, EACCES, ENOSYS, EINVAL, ENOSPC, ENOENT, EUSERS};
    const struct remedy_facts facts = {.apparmor_restricts = -1, .unprivileged_clone = -1};
    for (int step = 0; step < REMEDY_STEPS; step++) {
        for (size_t i = 0; i < COUNT(numbers); i++) {
            char text[REMEDY_TEXT_MAX] = "";
            remedy_find((enum remedy_step)step, numbers[i], &facts, text);
            assert_true(strlen(text) > 20 && strlen(text) < REMEDY_TEXT_MAX - 1);
        }
    }
}

/* ---- facts ---- */

/* A file of the imitated machine, with the directories above it. */
static void write_file(const struct state_directory *root, const char *path, const char *text)
{
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s/%s", root->path, path);
    for (char *p = whole + strlen(root->path) + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(whole, 0700);
        *p = '/';
    }
    FILE *file = fopen(whole, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static struct remedy_facts read_facts(const struct state_directory *root)
{
    struct remedy_facts facts;
    memset(&facts, 0xA5, sizeof facts);
    facts_read(root->fd, &facts);
    return facts;
}

static void a_machine_that_says_nothing_has_no_facts(void **state)
{
    struct remedy_facts facts = read_facts(*state);
    assert_int_equal(facts.apparmor_restricts, -1);
    assert_int_equal(facts.unprivileged_clone, -1);
    for (int i = 0; i < FACTS_LIMITS; i++)
        assert_int_equal(facts.limits[i], -1);
    assert_int_equal(facts.container, CONTAINER_NONE);
    assert_string_equal(facts.profile, "");
    assert_false(facts.filtered || facts.no_new_privileges || facts.proc_covered ||
                 facts.changed_root || facts.gvisor || facts.wsl1 || facts.systemd);
}

static void a_container_of_docker_is_known_with_all_that_confines_it(void **state)
{
    write_file(*state, ".dockerenv", "");
    write_file(*state, "proc/self/status",
               "Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n");
    write_file(*state, "proc/self/attr/apparmor/current", "docker-default (enforce)\n");
    write_file(*state, "proc/self/mountinfo",
               "1 0 0:40 / / rw,relatime - overlay overlay rw\n"
               "2 1 0:41 / /proc rw,nosuid - proc proc rw\n"
               "3 2 0:41 /sys /proc/sys ro,nosuid - proc proc rw\n");
    struct remedy_facts facts = read_facts(*state);
    assert_int_equal(facts.container, CONTAINER_DOCKER);
    assert_string_equal(facts.profile, "docker-default");
    assert_true(facts.filtered && facts.no_new_privileges && facts.proc_covered);
    assert_false(facts.changed_root);
}

static void an_ordinary_machine_is_confined_by_nothing(void **state)
{
    write_file(*state, "proc/self/status", "Name:\tx\nNoNewPrivs:\t0\nSeccomp:\t0\n");
    write_file(*state, "proc/self/attr/apparmor/current", "unconfined\n");
    write_file(*state, "proc/self/mountinfo",
               "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "2 1 0:41 / /proc rw,nosuid - proc proc rw\n"
               "3 2 0:42 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n");
    write_file(*state, "run/systemd/system/x", "");
    struct remedy_facts facts = read_facts(*state);
    assert_int_equal(facts.container, CONTAINER_NONE);
    assert_string_equal(facts.profile, "");
    assert_false(facts.filtered || facts.no_new_privileges || facts.proc_covered ||
                 facts.changed_root);
    assert_true(facts.systemd);
}

static void settings_and_kernels_are_read(void **state)
{
    write_file(*state, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    write_file(*state, "proc/sys/kernel/unprivileged_userns_clone", "0\n");
    write_file(*state, "proc/sys/user/max_net_namespaces", "17\n");
    write_file(*state, "proc/sys/kernel/osrelease", "5.10.0-30-amd64\n");
    write_file(*state, "proc/version", "Linux version 4.4.0-19041-Microsoft (x) #1\n");
    write_file(*state, "proc/self/mountinfo", "9 8 0:41 / /proc rw - proc proc rw\n");
    struct remedy_facts facts = read_facts(*state);
    assert_int_equal(facts.apparmor_restricts, 1);
    assert_int_equal(facts.unprivileged_clone, 0);
    assert_int_equal(facts.limits[3], 17);
    assert_int_equal(facts.limits[0], -1);
    assert_int_equal(facts.kernel_major, 5);
    assert_int_equal(facts.kernel_minor, 10);
    assert_true(facts.wsl1 && facts.changed_root);
}

static void containers_are_told_apart(void **state)
{
    write_file(*state, "run/systemd/container", "lxc\n");
    assert_int_equal(read_facts(*state).container, CONTAINER_LXC);
    write_file(*state, "run/systemd/container", "systemd-nspawn\n");
    assert_int_equal(read_facts(*state).container, CONTAINER_OTHER);
    write_file(*state, "run/.containerenv", "");
    assert_int_equal(read_facts(*state).container, CONTAINER_PODMAN);
    write_file(*state, "var/run/secrets/kubernetes.io/serviceaccount/token", "");
    assert_int_equal(read_facts(*state).container, CONTAINER_KUBERNETES);
}

static void the_remedy_follows_the_message(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, ERROR_SYSTEM, "newuidmap");
    err.number = ENOENT;
    assert_int_equal(remedy_append(REMEDY_SUBORDINATE_IDS, &err), -1);
    assert_int_equal(strncmp(err.message, "newuidmap. newuidmap and newgidmap are not", 42), 0);
    assert_int_equal(remedy_append(REMEDY_PROCFS, NULL), -1);
}

int main(void)
{
#define FACTS(name)                                                                                \
    cmocka_unit_test_setup_teardown(name, state_directory_open, state_directory_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine_gets_the_remedy_that_helps_there),
        cmocka_unit_test(every_step_has_a_remedy_whatever_the_error),
        cmocka_unit_test(the_remedy_follows_the_message),
        FACTS(a_machine_that_says_nothing_has_no_facts),
        FACTS(a_container_of_docker_is_known_with_all_that_confines_it),
        FACTS(an_ordinary_machine_is_confined_by_nothing),
        FACTS(settings_and_kernels_are_read),
        FACTS(containers_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
