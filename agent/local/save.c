#include "agent/local/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"

const char *save_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return NULL;
    return name;
}

static int refuse_existing(const struct save *save, struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "%.200s exists already", save->name);
}

static int open_directory(struct save *save, const char *path, size_t length, struct error *err)
{
    AUTO_FREE char *directory = length > 0 ? xstrndup(path, length) : xstrdup(".");
    save->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (save->directory_fd < 0)
        return error_from_errno(err, "open the directory %.200s", directory);
    return 0;
}

static int create_temporary(struct save *save, struct error *err)
{
    struct stat existing;
    if (!save->replaces &&
        fstatat(save->directory_fd, save->name, &existing, AT_SYMLINK_NOFOLLOW) == 0)
        return refuse_existing(save, err);

    char guid[GUID_TEXT_MAX];
    random_guid(guid);
    save->temporary = xasprintf(".sandpool-%s.part", guid);
    save->fd = openat(save->directory_fd, save->temporary,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (save->fd < 0)
        return error_from_errno(err, "create a file beside %.200s", save->name);
    return 0;
}

int save_begin(struct save *save, const char *path, bool replaces, struct error *err)
{
    const char *name = save_base_name(path);
    if (!name)
        return error_set(err, ERROR_INVALID, "\"%.200s\" does not name a file", path);

    *save = (struct save){.active = true, .replaces = replaces, .directory_fd = -1, .fd = -1};
    save->name = xstrdup(name);
    if (open_directory(save, path, (size_t)(name - path), err) < 0 ||
        create_temporary(save, err) < 0) {
        save_abort(save);
        return -1;
    }
    return 0;
}

int save_write(struct save *save, const char *data, size_t length, struct error *err)
{
    while (length > 0) {
        ssize_t written = write(save->fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_from_errno(err, "write %.200s", save->name);
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Fails with EEXIST rather than replace. File systems without RENAME_NOREPLACE get a link. */
static int rename_without_replacing(const struct save *save)
{
    int result = renameat2(save->directory_fd, save->temporary, save->directory_fd, save->name,
                           RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS))
        return result;
    if (linkat(save->directory_fd, save->temporary, save->directory_fd, save->name, 0) < 0)
        return -1;
    return unlinkat(save->directory_fd, save->temporary, 0);
}

static int give_name(struct save *save, struct error *err)
{
    int fd = TAKE_FD(save->fd);
    if (close(fd) < 0) /* network file systems report a full disk here */
        return error_from_errno(err, "write %.200s", save->name);

    int result = save->replaces
                     ? renameat(save->directory_fd, save->temporary, save->directory_fd, save->name)
                     : rename_without_replacing(save);
    if (result < 0 && errno == EEXIST)
        return refuse_existing(save, err);
    if (result < 0)
        return error_from_errno(err, "create %.200s", save->name);
    free(TAKE(save->temporary));
    return 0;
}

int save_commit(struct save *save, struct error *err)
{
    int result = give_name(save, err);
    save_abort(save);
    return result;
}

void save_abort(struct save *save)
{
    if (!save->active)
        return;
    close_fd(&save->fd);
    if (save->temporary)
        unlinkat(save->directory_fd, save->temporary, 0);
    close_fd(&save->directory_fd);
    free(save->temporary);
    free(save->name);
    *save = (struct save){0};
}
