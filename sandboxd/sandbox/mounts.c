#include "sandboxd/sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/layer.h"
#include "base/core/without.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/network.h"

#define NSSWITCH_WITH_NAMES "etc/nsswitch.names.conf"

/* The same bits in mount(), mount_setattr() and statvfs(). */
static const unsigned READ_ONLY = LAYER("mounts-read-only") ? MOUNT_ATTR_RDONLY : 0;
static const unsigned NO_SUID = LAYER("mounts-no-suid") ? MOUNT_ATTR_NOSUID : 0;
static const unsigned NO_DEVICES = LAYER("devices") ? MOUNT_ATTR_NODEV : 0;

/* Every machine has it, and neither the broker nor a session needs the machine's. */
static const char root_path[] = "/tmp";

const char *const mounts_place_paths[MOUNTS_PLACES_MAX] = {
    [MOUNTS_TMP] = "tmp",
    [MOUNTS_SHM] = "dev/shm",
    [MOUNTS_HOME] = "home/session",
};
static const unsigned place_modes[MOUNTS_PLACES_MAX] = {01777, 01777, 0700};

const char *const mounts_devices[MOUNTS_DEVICES_MAX] = {"null", "zero", "full", "random",
                                                        "urandom"};

static const struct {
    const char *path, *target;
} device_links[] = {
    {"dev/fd", "/proc/self/fd"},
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
};

static const struct {
    const char *path, *text;
} texts[] = {
    {"etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"
                   "session:x:1000:1000:session:" MOUNTS_HOME_PATH ":/bin/bash\n"
                   "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"etc/group", "root:x:0:\nsession:x:1000:\nnogroup:x:65534:\n"},
    {"etc/hosts", "127.0.0.1 localhost session\n::1 localhost\n"},
    {"etc/hostname", "session\n"},
    {"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
    {NSSWITCH_WITH_NAMES, "passwd: files\ngroup: files\nhosts: files dns\n"},
    {"etc/resolv.conf", "nameserver " NETWORK_RESOLVER "\n"},
};

static int set_attributes(int fd, uint64_t attributes, bool recursive, struct error *err)
{
    struct mount_attr attr = {.attr_set = attributes};
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    if (syscall(SYS_mount_setattr, fd, "", flags, &attr, sizeof attr) < 0)
        return error_from_errno(err, "mount_setattr");
    return 0;
}

/* A detached copy of a path of the machine, or -1. */
static int clone_tree(const char *path)
{
    return (int)syscall(SYS_open_tree, AT_FDCWD, path,
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
}

static int attach(int tree_fd, const char *relative, struct error *err)
{
    if (syscall(SYS_move_mount, tree_fd, "", AT_FDCWD, relative, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_from_errno(err, "attach %s", relative);
    return 0;
}

static int make_file(const char *relative, const char *text, struct error *err)
{
    if (directory_make_parents(relative, err) < 0)
        return -1;
    AUTO_CLOSE int fd = open(relative, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return error_from_errno(err, "write %s", relative);
    return 0;
}

static int place_tree(const char *path, const char *relative, uint64_t attributes,
                      struct error *err)
{
    AUTO_CLOSE int tree_fd = clone_tree(path);
    if (tree_fd < 0)
        return error_from_errno(err, "open_tree %s", path);
    if (set_attributes(tree_fd, attributes, true, err) < 0)
        return -1;
    return attach(tree_fd, relative, err);
}

static int place_link(const char *path, const char *relative, struct error *err)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return error_from_errno(err, "read link %s", path);
    target[length] = '\0';
    if (directory_make_parents(relative, err) < 0)
        return -1;
    return symlink(target, relative) < 0 ? error_from_errno(err, "link %s", relative) : 0;
}

/* A path of the machine at the same place in the new root, which is the working directory. */
static int place_shown(const char *path, struct error *err)
{
    const char *relative = path + 1;
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : error_from_errno(err, "look at %s", path);
    if (S_ISLNK(st.st_mode))
        return place_link(path, relative, err);
    int made =
        S_ISDIR(st.st_mode) ? directory_make(relative, 0755, err) : make_file(relative, "", err);
    if (made < 0)
        return -1;
    return place_tree(path, relative, READ_ONLY | NO_SUID | NO_DEVICES, err);
}

static int mount_tmpfs(const char *relative, uint64_t bytes, uint32_t inodes, unsigned mode,
                       unsigned long flags, struct error *err)
{
    char options[160];
    bytes = LAYER("tmpfs-size") ? bytes : 0; /* 0: no limit */
    inodes = LAYER("tmpfs-inodes") ? inodes : 0;
    /* The one id that there is without the layer "ids" has another number in the zygote. */
    unsigned owner = layer_is_missing(LAYER_IDS) ? geteuid() : SESSION_GUEST_ID;
    snprintf(options, sizeof options, "size=%" PRIu64 ",nr_inodes=%u,mode=%o,uid=%u,gid=%u", bytes,
             inodes, mode, owner, owner);
    if (mount("tmpfs", relative, "tmpfs", flags, options) < 0)
        return error_from_errno(err, "mount tmpfs on %s", relative);
    return 0;
}

/* Devices cannot be made in a user namespace: the machine's own nodes are shown. */
static int place_devices(struct error *err)
{
    for (size_t i = 0; i < MOUNTS_DEVICES_MAX; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", mounts_devices[i]);
        if (make_file(path + 1, "", err) < 0 ||
            place_tree(path, path + 1, NO_SUID | MOUNT_ATTR_NOEXEC, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof device_links / sizeof *device_links; i++) {
        if (symlink(device_links[i].target, device_links[i].path) < 0)
            return error_from_errno(err, "link %s", device_links[i].path);
    }
    return 0;
}

/* In a session's own copy of the root: those that its policy leaves out cannot be opened. */
static int close_devices(uint64_t kept, struct error *err)
{
    for (size_t i = 0; i < MOUNTS_DEVICES_MAX; i++) {
        char path[32];
        snprintf(path, sizeof path, "dev/%s", mounts_devices[i]);
        AUTO_CLOSE int fd = kept >> i & 1 ? -1 : open(path, O_PATH | O_CLOEXEC);
        if (!(kept >> i & 1) && set_attributes(fd, NO_DEVICES, false, err) < 0)
            return error_add_context(err, "close /%s", path);
    }
    return 0;
}

/* The file systems of one session, on directories that the prepared root has. */
static int mount_file_systems(const struct mounts_plan *plan, struct error *err)
{
    for (int i = 0; i < MOUNTS_PLACES_MAX; i++) {
        const struct mounts_scratch *scratch = &plan->choice->scratch[i];
        unsigned long flags = NO_SUID | NO_DEVICES | (scratch->programs ? 0 : MS_NOEXEC);
        if (mount_tmpfs(mounts_place_paths[i], scratch->bytes, scratch->inodes, place_modes[i],
                        flags, err) < 0)
            return -1;
    }
    if (close_devices(plan->choice->devices, err) < 0)
        return -1;
    if (mount_tmpfs("mnt/data", plan->data_bytes, plan->data_inodes, 0755, NO_SUID | NO_DEVICES,
                    err) < 0)
        return -1;
    if (plan->names && mount(NSSWITCH_WITH_NAMES, "etc/nsswitch.conf", NULL, MS_BIND, NULL) < 0)
        return error_from_errno(err, "place nsswitch.conf");
    if (plan->own_procfs &&
        mount("proc", "proc", "proc",
              NO_SUID | NO_DEVICES | MS_NOEXEC | (LAYER("procfs-read-only") ? MS_RDONLY : 0),
              !LAYER("procfs-subset")    ? "hidepid=invisible"
              : !LAYER("procfs-hidepid") ? "subset=pid"
                                         : "subset=pid,hidepid=invisible") < 0)
        return error_from_errno(err, "mount procfs");
    return 0;
}

static int make_mount_points(struct error *err)
{
    for (int i = 0; i < MOUNTS_PLACES_MAX; i++) {
        if (directory_make(mounts_place_paths[i], 0755, err) < 0)
            return -1;
    }
    return directory_make("mnt/data", 0755, err) < 0 ? -1 : directory_make("proc", 0755, err);
}

static int enter_directory(const char *path, struct error *err)
{
    return chdir(path) < 0 ? error_from_errno(err, "enter %s", path) : 0;
}

/* The working directory becomes "/" and the old root disappears. */
static int pivot(struct error *err)
{
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return error_from_errno(err, "pivot_root");
    if (umount2(".", MNT_DETACH) < 0)
        return error_from_errno(err, "detach the old root");
    return enter_directory("/", err);
}

/* A small empty tmpfs as working directory. */
static int begin_root(struct error *err)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return error_from_errno(err, "make mounts private");
    if (mount("root", root_path, "tmpfs", NO_SUID | NO_DEVICES, "size=1m,nr_inodes=512,mode=755") <
        0)
        return error_from_errno(err, "mount the new root");
    return enter_directory(root_path, err);
}

static int close_root(struct error *err)
{
    AUTO_CLOSE int root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return error_from_errno(err, "open the new root");
    return set_attributes(root_fd, READ_ONLY | NO_SUID | NO_DEVICES, false, err);
}

static int fill_root(const char *const *paths, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (place_shown(paths[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (make_file(texts[i].path, texts[i].text, err) < 0)
            return -1;
    }
    return make_mount_points(err) < 0 ? -1 : place_devices(err);
}

int mounts_unshare(int dir_fd, int *ret_fd, struct error *err)
{
    /* The working directory follows into the new namespace, descriptors do not. */
    if (fchdir(dir_fd) < 0 || unshare(CLONE_NEWNS) < 0)
        return error_from_errno(err, "make a mount namespace");
    AUTO_CLOSE int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "reopen a directory in a mount namespace");
    if (enter_directory("/", err) < 0)
        return -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int mounts_prepare(const char *const *paths, size_t count, struct error *err)
{
    if (begin_root(err) < 0 || fill_root(paths, count, err) < 0 || close_root(err) < 0)
        return -1;
    return enter_directory("/", err);
}

int mounts_enter(const struct mounts_plan *plan, struct error *err)
{
    AUTO_CLOSE int tree_fd = clone_tree(root_path);
    if (tree_fd < 0)
        return error_from_errno(err, "clone the prepared root");
    if (attach(tree_fd, root_path, err) < 0 || enter_directory(root_path, err) < 0 ||
        mount_file_systems(plan, err) < 0)
        return -1;
    return pivot(err);
}

int mounts_lone_directory(int dir_fd, const char *relative, struct error *err)
{
    AUTO_CLOSE int tree_fd = (int)syscall(SYS_open_tree, dir_fd, "",
                                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree_fd < 0)
        return error_from_errno(err, "clone a directory");
    if (set_attributes(tree_fd, NO_SUID | NO_DEVICES | MOUNT_ATTR_NOEXEC, false, err) < 0 ||
        begin_root(err) < 0 || directory_make(relative, 0755, err) < 0 ||
        attach(tree_fd, relative, err) < 0 || close_root(err) < 0)
        return -1;
    return pivot(err);
}

int mounts_lone_file(const char *relative, const char *text, struct error *err)
{
    if (begin_root(err) < 0 || make_file(relative, text, err) < 0 || close_root(err) < 0)
        return -1;
    return pivot(err);
}

int mounts_require_contained(struct error *err)
{
    static const char *const read_only[] = {"/", "/usr"};
    const unsigned long no_privilege = NO_SUID | NO_DEVICES;
    const unsigned long wanted = no_privilege | READ_ONLY;
    struct statvfs st;
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        if (statvfs(read_only[i], &st) < 0)
            return error_from_errno(err, "look at %s", read_only[i]);
        if ((st.f_flag & wanted) != wanted)
            return error_set(err, ERROR_DENIED, "%s is not read-only, nosuid and nodev",
                             read_only[i]);
    }
    struct stat root, data;
    if (statvfs(MOUNTS_DATA_PATH, &st) < 0 || stat("/", &root) < 0 ||
        stat(MOUNTS_DATA_PATH, &data) < 0)
        return error_from_errno(err, "look at " MOUNTS_DATA_PATH);
    if ((st.f_flag & no_privilege) != no_privilege || root.st_dev == data.st_dev)
        return error_set(err, ERROR_DENIED, MOUNTS_DATA_PATH " is not a file system of its own");
    if ((LAYER("procfs-subset") && access("/proc/sys", F_OK) == 0) || access("/sys", F_OK) == 0)
        return error_set(err, ERROR_DENIED, "/proc/sys or /sys can be seen");
    return 0;
}
