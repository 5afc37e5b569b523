#include "sandboxd/launch/start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/launch/cgroups.h"
#include "sandboxd/launch/ids.h"
#include "sandboxd/launch/janitor.h"
#include "sandboxd/launch/listener.h"
#include "sandboxd/launch/state.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/limits.h"

enum { START_SAFE_FD = 64 };

/* What the exec must leave open, by its place in enum inherit_fd. */
struct places {
    int fds[INHERIT_END_FD];
};

/* Files of ours, beside the directory that holds this program. */
static const struct {
    enum inherit_fd place;
    const char *path;
} own_files[] = {
    {INHERIT_POLICY_FD, "share/sandpool/policy"},
    {INHERIT_IMAGE_FD, "share/sandpool/images/host/image.json"},
    {INHERIT_FRONT_FD, "libexec/sandpool/sandboxd-front"},
    {INHERIT_SESSION_FD, "libexec/sandpool/sandboxd-session"},
    {INHERIT_WORKER_FD, "libexec/sandpool/sandboxd-worker"},
};

/* The directory above bin/, where libexec/ and share/ are too. */
static int open_prefix(struct error *err)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return error_from_errno(err, "find this program's own file");
    path[length] = '\0';
    int fd = open(dirname(dirname(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_from_errno(err, "open %s", path) : fd;
}

static int open_own_files(int prefix_fd, struct places *places, struct error *err)
{
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++) {
        int fd = openat(prefix_fd, own_files[i].path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_from_errno(err, "open %s", own_files[i].path);
        places->fds[own_files[i].place] = fd;
    }
    return 0;
}

/* What the user has not asked for is /dev/null, so that every place is taken. */
static int open_file(const char *option, const char *path, int *ret_fd, struct error *err)
{
    *ret_fd = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? error_from_errno(err, "%s %s", option, path ? path : "/dev/null") : 0;
}

static int open_user_files(const struct start_options *options, struct places *places,
                           struct error *err)
{
    if (!options->certificate != !options->certificate_key)
        return error_set(err, ERROR_INVALID,
                         "--tls-cert and --tls-key: give both, or neither for a certificate of the "
                         "development authority");
    if (open_file("--config", options->config, &places->fds[INHERIT_CONFIG_FD], err) < 0 ||
        open_file("--policy-dir", options->policy_dir, &places->fds[INHERIT_OWN_POLICY_FD], err) <
            0 ||
        open_file("--tls-cert", options->certificate, &places->fds[INHERIT_CERTIFICATE_FD], err) <
            0)
        return -1;
    return open_file("--tls-key", options->certificate_key,
                     &places->fds[INHERIT_CERTIFICATE_KEY_FD], err);
}

static bool has_https(const struct start_options *options)
{
    return strcmp(options->listen_https, "none") != 0;
}

static int open_listeners(const struct start_options *options, struct places *places,
                          struct error *err)
{
    bool may_be_remote = options->insecure || strcmp(options->auth, "jwt") == 0;
    struct listener_address http = {"--listen", options->listen, may_be_remote};
    struct listener_address https = {"--listen-https", options->listen_https, may_be_remote};
    if (listener_open(&http, &places->fds[INHERIT_LISTEN_FD], err) < 0)
        return -1;
    if (has_https(options))
        return listener_open(&https, &places->fds[INHERIT_LISTEN_HTTPS_FD], err);
    return open_file("--listen-https", NULL, &places->fds[INHERIT_LISTEN_HTTPS_FD], err);
}

/* Every session costs a few descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* A child that still is the machine's root maps our ids; afterwards nothing of us is root. */
static int enter_outer_namespace(uint32_t first_id, struct error *err)
{
    const struct idmap_range range = {OUTER_ROOT_ID, first_id, OUTER_IDS};
    pid_t own = getpid();
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    pid_t mapper = fork();
    if (mapper < 0)
        return error_from_errno(err, "fork");
    if (mapper == 0) {
        char byte;
        close(ready[1]);
        bool unshared = read(ready[0], &byte, 1) == 1;
        _exit(unshared && idmap_write(own, &range, 1, NULL) == 0 ? 0 : 1);
    }
    close(ready[0]);
    AUTO_CLOSE int ready_fd = ready[1];
    if (setgroups(0, NULL) < 0 || unshare(CLONE_NEWUSER) < 0)
        return error_from_errno(err, "make a user namespace");
    int status = 0;
    if (write(ready_fd, "", 1) != 1 || waitpid(mapper, &status, 0) < 0 || status != 0)
        return error_set(err, ERROR_SYSTEM, "the ids %u to %u could not be mapped", first_id,
                         first_id + OUTER_IDS - 1);
    return idmap_become(OUTER_ROOT_ID, err);
}

/* Everything moves out of the way first: sources and places overlap. */
static int place(struct places *places, struct error *err)
{
    for (int i = INHERIT_LISTEN_FD; i < INHERIT_END_FD; i++) {
        if (places->fds[i] >= 0)
            places->fds[i] = fcntl(places->fds[i], F_DUPFD_CLOEXEC, START_SAFE_FD);
    }
    for (int i = INHERIT_LISTEN_FD; i < INHERIT_END_FD; i++) {
        if (places->fds[i] >= 0 && dup2(places->fds[i], i) < 0)
            return error_from_errno(err, "place descriptor %d", i);
    }
    return 0;
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* Layers that the kernel has or has not. */
static int look_for_layers(uint32_t allowed, struct error *err)
{
    static const char *const why = "this kernel does not have it";
    if ((!has_landlock() && layer_miss(LAYER_LANDLOCK, allowed, why, err) < 0) ||
        (access("/proc/self/ns/uts", F_OK) < 0 && layer_miss(LAYER_UTS, allowed, why, err) < 0))
        return -1;
    return access("/proc/self/ns/cgroup", F_OK) < 0
               ? layer_miss(LAYER_CGROUP_NAMESPACE, allowed, why, err)
               : 0;
}

/* A number that is free both as a range of ids and as a name in the cgroup tree. */
static int take_number(struct places *places, uint32_t allowed_missing, uint32_t *ret_first_id,
                       struct cgroups *ret_cgroups, struct error *err)
{
    int *lock_fd = &places->fds[INHERIT_ID_LOCK_FD];
    for (unsigned number = 0; ids_take_range(&number, ret_first_id, lock_fd, err) == 0; number++) {
        if (cgroups_make(number, *ret_first_id, ret_cgroups, err) == 0)
            return 0;
        if (err->code != ERROR_CONFLICT)
            return layer_miss(LAYER_CGROUP, allowed_missing, err->message, err);
        close_fd(lock_fd);
    }
    return -1;
}

static int prepare(const struct start_options *options, struct places *places, int prefix_fd,
                   uint32_t *ret_first_id, struct cgroups *ret_cgroups, struct error *err)
{
    if (look_for_layers(options->allowed_missing, err) < 0 ||
        open_own_files(prefix_fd, places, err) < 0 || open_user_files(options, places, err) < 0 ||
        open_listeners(options, places, err) < 0 ||
        take_number(places, options->allowed_missing, ret_first_id, ret_cgroups, err) < 0 ||
        (ret_cgroups->count > 0 && janitor_start(ret_cgroups, places->fds[INHERIT_ID_LOCK_FD],
                                                 &places->fds[INHERIT_JANITOR_FD], err) < 0) ||
        state_open(options->state_dir, *ret_first_id + OUTER_FRONT_ID,
                   &places->fds[INHERIT_STATE_FD], err) < 0)
        return -1;
    for (int i = 0; i < ret_cgroups->count; i++)
        places->fds[INHERIT_CGROUP_FD + i] = ret_cgroups->own_fds[i];
    return 0;
}

static int execute(int executable_fd, const struct start_options *options, int cgroup_version,
                   struct error *err)
{
    enum { FRONT = INHERIT_FRONT_ARGUMENTS - 1 }; /* the front's own name is not passed */
    static char *const no_environment[] = {NULL};
    const char version[] = {(char)('0' + cgroup_version), '\0'};
    const char *arguments[FRONT + FRONT_HOST_ARGUMENTS + FRONT_HOSTS_MAX + 1] = {
        "sandboxd-broker",
        [INHERIT_CGROUP_ARGUMENT] = version,
        [INHERIT_ZYGOTE_ARGUMENT] = options->zygote_sessions,
        [FRONT + FRONT_MISSING_ARGUMENT] = layers_to_argument(),
        [FRONT + FRONT_HTTP_ARGUMENT] = options->listen,
        [FRONT + FRONT_HTTPS_ARGUMENT] = has_https(options) ? options->listen_https : "",
        [FRONT + FRONT_AUTH_ARGUMENT] = options->auth,
    };
    for (size_t i = 0; i < options->host_count; i++)
        arguments[FRONT + FRONT_HOST_ARGUMENTS + i] = options->hosts[i];
    fexecve(executable_fd, (char *const *)(uintptr_t)arguments, no_environment);
    return error_from_errno(err, "execute sandboxd-broker");
}

int start_daemon(const struct start_options *options, struct error *err)
{
    if (geteuid() != 0)
        return error_set(err, ERROR_DENIED,
                         "must be started as root: namespaces with ids of their own and cgroups "
                         "need it. Try: sudo sandboxd --listen %s --state-dir %s",
                         options->listen, options->state_dir);

    /* Whatever our caller left open is not ours to pass on. */
    if (limits_close_from(STDERR_FILENO + 1, err) < 0)
        return -1;
    struct places places;
    for (int i = 0; i < INHERIT_END_FD; i++)
        places.fds[i] = -1;
    uint32_t first_id = 0;
    struct cgroups cgroups = {0};
    AUTO_CLOSE int prefix_fd = open_prefix(err);
    if (prefix_fd < 0 || prepare(options, &places, prefix_fd, &first_id, &cgroups, err) < 0)
        return -1;

    AUTO_CLOSE int broker_fd =
        openat(prefix_fd, "libexec/sandpool/sandboxd-broker", O_RDONLY | O_CLOEXEC);
    if (broker_fd < 0)
        return error_from_errno(err, "open libexec/sandpool/sandboxd-broker");
    raise_descriptor_limit();
    if (cgroups_enter(&cgroups, err) < 0 || enter_outer_namespace(first_id, err) < 0)
        return -1;
    AUTO_CLOSE int executable_fd = fcntl(broker_fd, F_DUPFD_CLOEXEC, START_SAFE_FD);
    if (executable_fd < 0 || place(&places, err) < 0)
        return -1;

    return execute(executable_fd, options, cgroups.version, err);
}
