#include "sandboxd/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/without.h"
#include "sandboxd/payload/payload.h"

/* More entries than any data directory has inodes: a guest that renames directories ahead of a walk
 * cannot keep it going. */
enum { FILES_ENTRIES_MAX = 1000000 };

/* The helper's own state: one request, one thread, then the end. */
struct helper {
    int data_fd;
    int channel_fd;
    uint64_t request;
};

/* Resolves below the data directory: no links, no magic links, no other mount, never upwards. */
static int open_below(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY),
        .mode = mode,
        .resolve = LAYER("helper-resolve") ? RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                                 RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV
                                           : 0,
    };
    return (int)syscall(SYS_openat2, dir_fd, *path ? path : ".", &how, sizeof how);
}

/* Splits "a/b/c" into its directory, opened, and its last part, which points into path. */
static int open_parent(const struct helper *helper, char *path, const char **ret_name)
{
    char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    if (slash)
        *slash = '\0';
    int fd = open_below(helper->data_fd, slash ? path : "", O_RDONLY | O_DIRECTORY, 0);
    if (slash)
        *slash = '/';
    return fd;
}

static enum file_kind kind_of(const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return FILE_KIND_DIRECTORY;
    return S_ISREG(st->st_mode) && (!LAYER("helper-links") || st->st_nlink == 1) ? FILE_KIND_FILE
                                                                                 : FILE_KIND_OTHER;
}

static int send_entry(const struct helper *helper, const char *path, const struct stat *st)
{
    struct file_entry_message entry = {
        .kind = kind_of(st),
        .size_bytes = (uint64_t)st->st_size,
        .modified_s = st->st_mtim.tv_sec,
        .modified_ns = (uint32_t)st->st_mtim.tv_nsec,
    };
    snprintf(entry.path, sizeof entry.path, "%s", path);
    return channel_send(helper->channel_fd, FRAME_FILE_ENTRY, helper->request, &entry,
                        MESSAGE_LENGTH(&entry, path), NULL, 0, NULL);
}

static int send_done(const struct helper *helper, int error_number, const char *text, int fd)
{
    return channel_send_result(helper->channel_fd, FRAME_FILE_DONE, helper->request, error_number,
                               text, fd, NULL);
}

/* Sends the entries of one directory; the directories among them are added to `pending`, each
 * followed by a NUL. */
static int list_directory(const struct helper *helper, const char *path, struct buf *pending,
                          unsigned *entries)
{
    DIR *directory = directory_read(open_below(helper->data_fd, path, O_RDONLY | O_DIRECTORY, 0));
    if (!directory)
        return -1;
    int fd = dirfd(directory);
    struct dirent *item;
    int result = 0;
    while (result == 0 && (item = readdir(directory))) {
        char child[FILE_PATH_MAX];
        struct stat st;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        int n = snprintf(child, sizeof child, "%s%s%s", path, *path ? "/" : "", item->d_name);
        /* What is too deep for a path or gone meanwhile is left out. */
        if (n >= (int)sizeof child || fstatat(fd, item->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        result = send_entry(helper, child, &st);
        if (++*entries > FILES_ENTRIES_MAX) {
            errno = ENOMEM;
            result = -1;
        }
        if (result == 0 && S_ISDIR(st.st_mode) && pending &&
            !buf_append(pending, child, (size_t)n + 1)) {
            errno = ENOMEM;
            result = -1;
        }
    }
    closedir(directory);
    return result;
}

static int list(const struct helper *helper, const char *path, bool recursive)
{
    AUTO_BUF struct buf pending = {0};
    unsigned entries = 0;
    if (list_directory(helper, path, recursive ? &pending : NULL, &entries) < 0)
        return -1;
    for (size_t at = 0; at < pending.length;) {
        char next[FILE_PATH_MAX];
        snprintf(next, sizeof next, "%s", pending.data + at);
        at += strlen(next) + 1;
        /* A directory that the guest closed to itself or removed is shown without its content. */
        if (list_directory(helper, next, &pending, &entries) < 0 && errno == ENOMEM)
            return -1;
    }
    return 0;
}

static int stat_path(const struct helper *helper, char *path)
{
    const char *name;
    struct stat st;
    AUTO_CLOSE int parent_fd = open_parent(helper, path, &name);
    if (parent_fd < 0 || fstatat(parent_fd, *name ? name : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return send_entry(helper, path, &st);
}

static int open_file(const struct helper *helper, const char *path, int *ret_fd)
{
    struct stat st;
    AUTO_CLOSE int fd = open_below(helper->data_fd, path, O_RDONLY, 0);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (kind_of(&st) != FILE_KIND_FILE) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ELOOP;
        return -1;
    }
    if (send_entry(helper, path, &st) < 0)
        return -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int make_parents(const struct helper *helper, char *path)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *name;
        *slash = '\0';
        AUTO_CLOSE int parent_fd = open_parent(helper, path, &name);
        int made = parent_fd < 0 ? -1 : mkdirat(parent_fd, name, 0755);
        *slash = '/';
        if (made < 0 && (parent_fd < 0 || errno != EEXIST))
            return -1;
    }
    return 0;
}

/* Gives the unnamed file its name in one step; an existing file is replaced by a rename, so that
 * readers see the old or the new one. */
static int commit(const struct helper *helper, char *path, int file_fd)
{
    const char *name;
    struct stat st, data;
    if (fstat(file_fd, &st) < 0 || fstat(helper->data_fd, &data) < 0)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_dev != data.st_dev || st.st_nlink != 0 || *path == '\0') {
        errno = EINVAL;
        return -1;
    }
    if (make_parents(helper, path) < 0)
        return -1;
    AUTO_CLOSE int parent_fd = open_parent(helper, path, &name);
    if (parent_fd < 0)
        return -1;

    char source[64], temporary[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", file_fd);
    if (linkat(AT_FDCWD, source, parent_fd, name, AT_SYMLINK_FOLLOW) < 0) {
        if (errno != EEXIST)
            return -1;
        snprintf(temporary, sizeof temporary, ".sandpool-upload-%016llx",
                 (unsigned long long)helper->request);
        unlinkat(parent_fd, temporary, 0);
        if (linkat(AT_FDCWD, source, parent_fd, temporary, AT_SYMLINK_FOLLOW) < 0)
            return -1;
        if (renameat(parent_fd, temporary, parent_fd, name) < 0) {
            int number = errno;
            unlinkat(parent_fd, temporary, 0);
            errno = number;
            return -1;
        }
    }
    return fstat(file_fd, &st) < 0 ? -1 : send_entry(helper, path, &st);
}

static int remove_path(const struct helper *helper, char *path)
{
    const char *name;
    AUTO_CLOSE int parent_fd = open_parent(helper, path, &name);
    if (parent_fd < 0)
        return -1;
    if (unlinkat(parent_fd, name, 0) == 0)
        return 0;
    return errno == EISDIR ? unlinkat(parent_fd, name, AT_REMOVEDIR) : -1;
}

static int perform(const struct helper *helper, struct file_request_message *request, int passed_fd,
                   int *ret_fd)
{
    char *path = request->path;
    switch (request->operation) {
    case FILE_LIST:
        return list(helper, path, request->recursive != 0);
    case FILE_STAT:
        return stat_path(helper, path);
    case FILE_OPEN:
        return open_file(helper, path, ret_fd);
    case FILE_CREATE:
        *ret_fd = openat(helper->data_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
        return *ret_fd < 0 ? -1 : 0;
    case FILE_COMMIT:
        return commit(helper, path, passed_fd);
    case FILE_REMOVE:
        return remove_path(helper, path);
    default:
        errno = EINVAL;
        return -1;
    }
}

_Noreturn void files_serve(int data_fd, int channel_fd, struct channel_message *request)
{
    struct helper helper = {
        .data_fd = data_fd,
        .channel_fd = channel_fd,
        .request = request->frame.tag,
    };
    struct error err = {0};
    struct file_request_message wanted;
    if (payload_read_file_request(&request->frame, &wanted, &err) < 0) {
        send_done(&helper, EINVAL, err.message, -1);
        _exit(0);
    }

    int fd = -1;
    int result = perform(&helper, &wanted, request->fd_count > 0 ? request->fds[0] : -1, &fd);
    if (result < 0)
        send_done(&helper, errno ? errno : EIO, strerror(errno), -1);
    else
        send_done(&helper, 0, "", fd);
    _exit(0);
}
