#include "sandboxd/launch/start.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/listener.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/ids/subordinate.h"
#include "sandboxd/launch/cgroups.h"
#include "sandboxd/launch/janitor.h"
#include "sandboxd/launch/outer.h"
#include "sandboxd/launch/state.h"
#include "sandboxd/remedy/remedy.h"
#include "sandboxd/remedy/tun.h"
#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/sandbox/limits.h"

enum { START_SAFE_FD = 64 };

struct start {
    const struct start_options *options;
    bool is_root; /* started by root, not by an ordinary user */
    struct machine_ids ids;
    struct cgroups cgroups;
    int fds[INHERIT_END_FD]; /* what the exec must leave open, by its place in enum inherit_fd */
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
    {INHERIT_EGRESS_FD, "libexec/sandpool/sandboxd-egress"},
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

static int open_own_files(int prefix_fd, struct start *start, struct error *err)
{
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++) {
        int fd = openat(prefix_fd, own_files[i].path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_from_errno(err, "open %s", own_files[i].path);
        start->fds[own_files[i].place] = fd;
    }
    return 0;
}

/* What the user has not asked for is /dev/null, so that every place is taken. */
static int open_file(const char *option, const char *path, int *ret_fd, struct error *err)
{
    *ret_fd = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? error_from_errno(err, "%s %s", option, path ? path : "/dev/null") : 0;
}

static int open_user_files(struct start *start, struct error *err)
{
    const struct start_options *options = start->options;
    if (!options->certificate != !options->certificate_key)
        return error_set(err, ERROR_INVALID,
                         "--tls-cert and --tls-key: give both, or neither for a certificate of the "
                         "development authority");
    if (open_file("--config", options->config, &start->fds[INHERIT_CONFIG_FD], err) < 0 ||
        open_file("--policy-dir", options->policy_dir, &start->fds[INHERIT_OWN_POLICY_FD], err) <
            0 ||
        open_file("--tls-cert", options->certificate, &start->fds[INHERIT_CERTIFICATE_FD], err) < 0)
        return -1;
    return open_file("--tls-key", options->certificate_key, &start->fds[INHERIT_CERTIFICATE_KEY_FD],
                     err);
}

static bool has_https(const struct start_options *options)
{
    return strcmp(options->listen_https, "none") != 0;
}

static int open_listeners(struct start *start, struct error *err)
{
    const struct start_options *options = start->options;
    bool may_be_remote = options->insecure || strcmp(options->auth, "jwt") == 0;
    struct listener_address http = {"--listen", options->listen, may_be_remote};
    struct listener_address https = {"--listen-https", options->listen_https, may_be_remote};
    if (listener_open(&http, &start->fds[INHERIT_LISTEN_FD], err) < 0)
        return -1;
    if (has_https(options))
        return listener_open(&https, &start->fds[INHERIT_LISTEN_HTTPS_FD], err);
    return open_file("--listen-https", NULL, &start->fds[INHERIT_LISTEN_HTTPS_FD], err);
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

/* Everything moves out of the way first: sources and places overlap. */
static int place(struct start *start, struct error *err)
{
    for (int i = INHERIT_LISTEN_FD; i < INHERIT_END_FD; i++) {
        if (start->fds[i] >= 0)
            start->fds[i] = fcntl(start->fds[i], F_DUPFD_CLOEXEC, START_SAFE_FD);
    }
    for (int i = INHERIT_LISTEN_FD; i < INHERIT_END_FD; i++) {
        if (start->fds[i] >= 0 && dup2(start->fds[i], i) < 0)
            return error_from_errno(err, "place descriptor %d", i);
    }
    return 0;
}

/* The error of a layer that cannot be had; unless that is allowed, with what to do about it. */
static int miss(enum layer layer, enum remedy_step step, uint32_t allowed, struct error *err)
{
    int number = err->number;
    if (layer_miss(layer, allowed, err->message, err) == 0)
        return 0;
    err->number = number;
    return remedy_append(step, err);
}

static int look_for_landlock(uint32_t allowed, struct error *err)
{
    if (landlock_version() > 0)
        return 0;
    error_from_errno(err, "landlock_create_ruleset");
    return miss(LAYER_LANDLOCK, REMEDY_LANDLOCK, allowed, err);
}

/* Layers that the kernel has or has not. */
static int look_for_layers(uint32_t allowed, struct error *err)
{
    static const struct {
        const char *path, *why;
        enum layer layer;
    } namespaces[] = {
        {"/proc/self/ns/uts", "use a kernel with CONFIG_UTS_NS, or --allow-missing uts", LAYER_UTS},
        {"/proc/self/ns/cgroup",
         "use a kernel with CONFIG_CGROUPS, or --allow-missing cgroup-namespace",
         LAYER_CGROUP_NAMESPACE},
    };
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        if (access(namespaces[i].path, F_OK) < 0 &&
            layer_miss(namespaces[i].layer, allowed, namespaces[i].why, err) < 0)
            return -1;
    }
    return look_for_landlock(allowed, err);
}

/* v2 lets no process stay beside our directories; there whoever delegated the tree to an ordinary
 * user (systemd) clears it up. */
static int watch_cgroups(struct start *start, struct error *err)
{
    if (!start->is_root && start->cgroups.version == 2)
        return 0;
    return janitor_start(&start->cgroups, start->fds[INHERIT_ID_LOCK_FD],
                         &start->fds[INHERIT_JANITOR_FD], err);
}

/* A number that is free as a name in the cgroup tree and, for root, as a range of ids. An ordinary
 * user's directories are made inside his namespace, where they are its root's from the start. */
static int take_number(struct start *start, struct error *err)
{
    int *lock_fd = &start->fds[INHERIT_ID_LOCK_FD];
    for (unsigned number = 0; number < RANGE_COUNT; number++) {
        if (start->is_root && range_take(&number, &start->ids, lock_fd, err) < 0)
            return -1;
        uid_t owner = start->is_root ? start->ids.first_uid : OUTER_ROOT_ID;
        if (cgroups_make(number, owner, !start->is_root, &start->cgroups, err) == 0)
            return watch_cgroups(start, err);
        if (err->code != ERROR_CONFLICT)
            break;
        if (start->is_root)
            close_fd(lock_fd);
    }
    return miss(LAYER_CGROUP, REMEDY_CGROUPS, start->options->allowed_missing, err);
}

static int enter_cgroups(struct start *start, struct error *err)
{
    struct cgroups *cgroups = &start->cgroups;
    if (cgroups_enter(cgroups, err) < 0) {
        if (miss(LAYER_CGROUP, REMEDY_CGROUPS, start->options->allowed_missing, err) < 0)
            return -1;
        *cgroups = (struct cgroups){0};
    }
    for (int i = 0; i < cgroups->count; i++)
        start->fds[INHERIT_CGROUP_FD + i] = cgroups->own_fds[i];
    return 0;
}

/* Root hands directories over before it stops being root. */
static int leave_root(struct start *start, struct error *err)
{
    if (take_number(start, err) < 0)
        return -1;
    const uid_t front = start->ids.first_uid + OUTER_FRONT_ID;
    if (state_open(start->options->state_dir, &front, &start->fds[INHERIT_STATE_FD], err) < 0 ||
        enter_cgroups(start, err) < 0)
        return -1;
    return outer_enter(&start->ids, err);
}

/* An ordinary user gets power over what is his inside the namespace only. */
static int leave_user(struct start *start, struct error *err)
{
    int *lock_fd = &start->fds[INHERIT_ID_LOCK_FD];
    if (subordinate_take(&start->ids, lock_fd, err) < 0) {
        if (miss(LAYER_IDS, REMEDY_SUBORDINATE_IDS, start->options->allowed_missing, err) < 0 ||
            open_file("ids", NULL, lock_fd, err) < 0)
            return -1;
        /* One id, which sessions share: their number is bound by other things. */
        start->ids = (struct machine_ids){getuid(), getgid(), RANGE_IDS};
    }
    if (state_open(start->options->state_dir, NULL, &start->fds[INHERIT_STATE_FD], err) < 0 ||
        outer_enter(&start->ids, err) < 0 || take_number(start, err) < 0)
        return -1;
    return enter_cgroups(start, err);
}

static int execute(int executable_fd, const struct start *start, struct error *err)
{
    enum { FRONT = INHERIT_FRONT_ARGUMENTS - 1 }; /* the front's own name is not passed */
    static char *const no_environment[] = {NULL};
    const struct start_options *options = start->options;
    const char version[] = {(char)('0' + start->cgroups.version), '\0'};
    char ids[16];
    snprintf(ids, sizeof ids, "%u", start->ids.count);
    const char *arguments[FRONT + FRONT_HOST_ARGUMENTS + FRONT_HOSTS_MAX + 1] = {
        "sandboxd-broker",
        [INHERIT_CGROUP_ARGUMENT] = version,
        [INHERIT_ZYGOTE_ARGUMENT] = options->zygote_sessions,
        [INHERIT_IDS_ARGUMENT] = ids,
        [FRONT + FRONT_MISSING_ARGUMENT] = layers_to_argument(),
        [FRONT + FRONT_POLICIES_ARGUMENT] = "",
        [FRONT + FRONT_HTTP_ARGUMENT] = options->listen,
        [FRONT + FRONT_HTTPS_ARGUMENT] = has_https(options) ? options->listen_https : "",
        [FRONT + FRONT_AUTH_ARGUMENT] = options->auth,
        [FRONT + FRONT_NO_EGRESS_ARGUMENT] = tun_why_not(),
    };
    for (size_t i = 0; i < options->host_count; i++)
        arguments[FRONT + FRONT_HOST_ARGUMENTS + i] = options->hosts[i];
    fexecve(executable_fd, (char *const *)(uintptr_t)arguments, no_environment);
    return error_from_errno(err, "execute sandboxd-broker");
}

int start_daemon(const struct start_options *options, struct error *err)
{
    /* Whatever our caller left open is not ours to pass on. */
    if (limits_close_from(STDERR_FILENO + 1, err) < 0)
        return -1;
    struct start start = {.options = options, .is_root = geteuid() == 0};
    for (int i = 0; i < INHERIT_END_FD; i++)
        start.fds[i] = -1;
    AUTO_CLOSE int prefix_fd = open_prefix(err);
    if (prefix_fd < 0 || look_for_layers(options->allowed_missing, err) < 0 ||
        open_own_files(prefix_fd, &start, err) < 0 || open_user_files(&start, err) < 0 ||
        open_listeners(&start, err) < 0)
        return -1;

    AUTO_CLOSE int broker_fd =
        openat(prefix_fd, "libexec/sandpool/sandboxd-broker", O_RDONLY | O_CLOEXEC);
    if (broker_fd < 0)
        return error_from_errno(err, "open libexec/sandpool/sandboxd-broker");
    raise_descriptor_limit();
    if ((start.is_root ? leave_root : leave_user)(&start, err) < 0)
        return -1;
    AUTO_CLOSE int executable_fd = fcntl(broker_fd, F_DUPFD_CLOEXEC, START_SAFE_FD);
    if (executable_fd < 0 || place(&start, err) < 0)
        return -1;
    return execute(executable_fd, &start, err);
}
