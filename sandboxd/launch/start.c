#include "sandboxd/launch/start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/launch/cgroups.h"
#include "sandboxd/launch/ids.h"
#include "sandboxd/launch/janitor.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/limits.h"

enum { START_BACKLOG = 511, START_SAFE_FD = 64, START_ADDRESS_MAX = 256 };

/* What the exec must leave open, by its place in enum inherit_fd. */
struct places {
    int fds[INHERIT_END_FD];
};

/* Files of ours, beside the directory that holds this program. */
static const struct {
    enum inherit_fd place;
    const char *path;
} own_files[] = {
    {INHERIT_GUEST_POLICY_FD, "share/sandpool/policy/python.json"},
    {INHERIT_FILES_POLICY_FD, "share/sandpool/policy/file-helper.json"},
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

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "127.0.0.1:8900", "[::1]:8900", "localhost:8900" */
static struct addrinfo *resolve(const char *listen, struct error *err)
{
    struct addrinfo *found = NULL;
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char host[START_ADDRESS_MAX];
    const char *colon = strrchr(listen, ':');
    size_t length = colon ? (size_t)(colon - listen) : 0;
    if (length == 0 || length >= sizeof host || colon[1] == '\0') {
        error_set(err, ERROR_INVALID, "--listen %s: must be ADDRESS:PORT", listen);
        return NULL;
    }
    uint64_t port;
    if (!text_parse_u64(colon + 1, &port) || port > UINT16_MAX) {
        error_set(err, ERROR_INVALID, "--listen %s: the port must be 0 to 65535", listen);
        return NULL;
    }
    memcpy(host, listen, length);
    host[length] = '\0';
    char *name = host;
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        name = host + 1;
    }
    int result = getaddrinfo(name, colon + 1, &hints, &found);
    if (result != 0) {
        error_set(err, ERROR_INVALID, "--listen %s: %s", listen, gai_strerror(result));
        return NULL;
    }
    return found;
}

static int open_listener(const struct start_options *options, int *ret_fd, struct error *err)
{
    static const int on = 1;
    struct addrinfo *found = resolve(options->listen, err);
    if (!found)
        return -1;
    if (!is_loopback(found->ai_addr) && !options->insecure) {
        freeaddrinfo(found);
        return error_set(err, ERROR_DENIED,
                         "--listen %s: anybody who reaches this address could run code; listen on "
                         "127.0.0.1, or add --insecure if that is meant",
                         options->listen);
    }
    AUTO_CLOSE int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (result == 0)
        result = bind(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (result < 0 || listen(fd, START_BACKLOG) < 0)
        return error_from_errno(err, "listen on %s", options->listen);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int make_directories(const char *path, struct error *err)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return error_set(err, ERROR_INVALID, "--state-dir is too long");
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return error_from_errno(err, "make %s", part);
        *p = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_from_errno(err, "make %s", path);
    return 0;
}

/* It is about to change hands: /etc must not, by a slip of the pen. */
static bool is_ours_or_empty(int dir_fd)
{
    struct stat st;
    if (fstat(dir_fd, &st) == 0 && ids_is_of_a_daemon(st.st_uid))
        return true;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        close_fd(&fd);
        return false;
    }
    int entries = 0;
    while (readdir(directory))
        entries++;
    closedir(directory);
    return entries <= 2; /* "." and ".." */
}

/* Belongs to the front's id; locked while a daemon uses it. */
static int open_state(const char *path, uid_t owner, int *ret_fd, struct error *err)
{
    if (make_directories(path, err) < 0)
        return -1;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_from_errno(err, "open --state-dir %s", path);
    if (!is_ours_or_empty(fd))
        return error_set(err, ERROR_CONFLICT,
                         "--state-dir %s holds other things; name a directory of its own", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--state-dir %s is in use by another sandboxd", path);
    if (fchown(fd, owner, owner) < 0)
        return error_from_errno(err, "give %s to id %u", path, owner);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int open_config(const char *path, int *ret_fd, struct error *err)
{
    *ret_fd = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? error_from_errno(err, "--config %s", path ? path : "") : 0;
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

/* A number that is free both as a range of ids and as a name in the cgroup tree. */
static int take_number(struct places *places, uint32_t *ret_first_id, struct cgroups *ret_cgroups,
                       struct error *err)
{
    int *lock_fd = &places->fds[INHERIT_ID_LOCK_FD];
    for (unsigned number = 0; ids_take_range(&number, ret_first_id, lock_fd, err) == 0; number++) {
        if (cgroups_make(number, *ret_first_id, ret_cgroups, err) == 0)
            return 0;
        if (err->code != ERROR_CONFLICT)
            return -1;
        close_fd(lock_fd);
    }
    return -1;
}

static int prepare(const struct start_options *options, struct places *places, int prefix_fd,
                   uint32_t *ret_first_id, struct cgroups *ret_cgroups, struct error *err)
{
    if (open_own_files(prefix_fd, places, err) < 0 ||
        open_config(options->config, &places->fds[INHERIT_CONFIG_FD], err) < 0 ||
        open_listener(options, &places->fds[INHERIT_LISTEN_FD], err) < 0 ||
        take_number(places, ret_first_id, ret_cgroups, err) < 0 ||
        janitor_start(ret_cgroups, places->fds[INHERIT_ID_LOCK_FD],
                      &places->fds[INHERIT_JANITOR_FD], err) < 0 ||
        open_state(options->state_dir, *ret_first_id + OUTER_FRONT_ID,
                   &places->fds[INHERIT_STATE_FD], err) < 0)
        return -1;
    for (int i = 0; i < ret_cgroups->count; i++)
        places->fds[INHERIT_CGROUP_FD + i] = ret_cgroups->own_fds[i];
    return 0;
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

    const char *arguments[INHERIT_ARGUMENTS + 1] = {
        "sandboxd-broker",
        [INHERIT_CGROUP_ARGUMENT] = cgroups.version == 2 ? "2" : "1",
        [INHERIT_ADDRESS_ARGUMENT] = options->listen,
        [INHERIT_CONFIG_ARGUMENT] = options->config ? "config" : "no-config",
    };
    static char *const no_environment[] = {NULL};
    fexecve(executable_fd, (char *const *)(uintptr_t)arguments, no_environment);
    return error_from_errno(err, "execute sandboxd-broker");
}
