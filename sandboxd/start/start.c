#include "sandboxd/start/start.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/listener.h"
#include "sandboxd/ids/subordinate.h"
#include "sandboxd/launch/launch.h"
#include "sandboxd/remedy/remedy.h"
#include "sandboxd/remedy/tun.h"
#include "sandboxd/sandbox/descriptors.h"
#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/start/state.h"

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

static int open_own_files(struct launch *launch, struct error *err)
{
    AUTO_CLOSE int prefix_fd = open_prefix(err);
    if (prefix_fd < 0)
        return -1;
    for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++) {
        int fd = openat(prefix_fd, own_files[i].path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_from_errno(err, "open %s", own_files[i].path);
        launch->fds[own_files[i].place] = fd;
    }
    launch->executable_fd =
        openat(prefix_fd, "libexec/sandpool/sandboxd-broker", O_RDONLY | O_CLOEXEC);
    if (launch->executable_fd < 0)
        return error_from_errno(err, "open libexec/sandpool/sandboxd-broker");
    return 0;
}

/* What the user has not asked for is /dev/null, so that every place is taken. */
static int open_file(const char *option, const char *path, int *ret_fd, struct error *err)
{
    *ret_fd = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? error_from_errno(err, "%s %s", option, path ? path : "/dev/null") : 0;
}

static int open_user_files(const struct start_options *options, int *fds, struct error *err)
{
    if (!options->certificate != !options->certificate_key)
        return error_set(err, ERROR_INVALID,
                         "--tls-cert and --tls-key: give both, or neither for a certificate of the "
                         "development authority");
    if (open_file("--config", options->config, &fds[INHERIT_CONFIG_FD], err) < 0 ||
        open_file("--policy-dir", options->policy_dir, &fds[INHERIT_OWN_POLICY_FD], err) < 0 ||
        open_file("--tls-cert", options->certificate, &fds[INHERIT_CERTIFICATE_FD], err) < 0)
        return -1;
    return open_file("--tls-key", options->certificate_key, &fds[INHERIT_CERTIFICATE_KEY_FD], err);
}

static bool has_https(const struct start_options *options)
{
    return strcmp(options->listen_https, "none") != 0;
}

static int open_listeners(const struct start_options *options, int *fds, struct error *err)
{
    bool may_be_remote = options->insecure || strcmp(options->auth, "jwt") == 0;
    struct listener_address http = {"--listen", options->listen, may_be_remote};
    struct listener_address https = {"--listen-https", options->listen_https, may_be_remote};
    if (listener_open(&http, &fds[INHERIT_LISTEN_FD], err) < 0)
        return -1;
    if (has_https(options))
        return listener_open(&https, &fds[INHERIT_LISTEN_HTTPS_FD], err);
    return open_file("--listen-https", NULL, &fds[INHERIT_LISTEN_HTTPS_FD], err);
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

static int look_for_landlock(uint32_t allowed, struct error *err)
{
    if (landlock_version() > 0)
        return 0;
    error_from_errno(err, "landlock_create_ruleset");
    return remedy_miss(LAYER_LANDLOCK, REMEDY_LANDLOCK, allowed, err);
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

static int find_ids(struct launch *launch, struct error *err)
{
    if (geteuid() == 0 ||
        subordinate_take(&launch->ids, &launch->fds[INHERIT_ID_LOCK_FD], err) == 0)
        return 0;
    /* One id, which sessions share: their number is bound by other things. */
    launch->ids = (struct machine_ids){getuid(), getgid(), RANGE_IDS};
    return remedy_miss(LAYER_IDS, REMEDY_SUBORDINATE_IDS, launch->allowed_missing, err);
}

/* The broker's arguments, but for those that launch finds out; the front's own name is not passed.
 */
static void put_arguments(const struct start_options *options, const char **arguments)
{
    enum { FRONT = INHERIT_FRONT_ARGUMENTS - 1 };
    arguments[0] = "sandboxd-broker";
    arguments[INHERIT_ZYGOTE_ARGUMENT] = options->zygote_sessions;
    arguments[FRONT + FRONT_POLICIES_ARGUMENT] = "";
    arguments[FRONT + FRONT_HTTP_ARGUMENT] = options->listen;
    arguments[FRONT + FRONT_HTTPS_ARGUMENT] = has_https(options) ? options->listen_https : "";
    arguments[FRONT + FRONT_AUTH_ARGUMENT] = options->auth;
    arguments[FRONT + FRONT_NO_EGRESS_ARGUMENT] = tun_why_not();
    for (size_t i = 0; i < options->host_count; i++)
        arguments[FRONT + FRONT_HOST_ARGUMENTS + i] = options->hosts[i];
}

int start_daemon(const struct start_options *options, struct error *err)
{
    const char *arguments[INHERIT_FRONT_ARGUMENTS + FRONT_HOST_ARGUMENTS + FRONT_HOSTS_MAX] = {0};
    struct launch launch = {.arguments = arguments, .allowed_missing = options->allowed_missing};
    /* Whatever our caller left open is not ours to pass on. */
    if (descriptors_close_from(STDERR_FILENO + 1, err) < 0)
        return -1;
    for (int i = 0; i < INHERIT_END_FD; i++)
        launch.fds[i] = -1;
    if (look_for_layers(options->allowed_missing, err) < 0 || open_own_files(&launch, err) < 0 ||
        open_user_files(options, launch.fds, err) < 0 ||
        open_listeners(options, launch.fds, err) < 0 || find_ids(&launch, err) < 0 ||
        state_open(options->state_dir, geteuid() == 0, &launch.fds[INHERIT_STATE_FD], err) < 0)
        return -1;
    raise_descriptor_limit();
    put_arguments(options, arguments);
    return launch_broker(&launch, err);
}
