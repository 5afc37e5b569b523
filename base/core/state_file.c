#include "base/core/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/random.h"
#include "base/core/text.h"

enum { GROUP_AND_OTHERS = 0077 };

static int check_kind(int fd, const char *name, mode_t mode, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_from_errno(err, "stat %s", name);
    if (!S_ISREG(info.st_mode))
        return error_set(err, ERROR_INVALID, "%s is not a regular file", name);
    if (mode == STATE_FILE_SECRET && (info.st_mode & GROUP_AND_OTHERS))
        return error_set(err, ERROR_DENIED,
                         "%s has mode %04o, so others could read it: chmod 0600, or remove it to "
                         "have a new one made",
                         name, (unsigned)(info.st_mode & 07777));
    return 0;
}

int state_file_read(int directory_fd, const char *name, mode_t mode, size_t limit_bytes,
                    char **ret_text, size_t *ret_length, struct error *err)
{
    AUTO_CLOSE int fd =
        openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "open %s", name);
    if (check_kind(fd, name, mode, err) < 0)
        return -1;

    char *text = text_read_all(fd, limit_bytes, ret_length, err);
    if (!text)
        return error_add_context(err, "read %s", name);
    *ret_text = text;
    return 0;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int state_file_write(int directory_fd, const char *name, mode_t mode, const void *data,
                     size_t length, struct error *err)
{
    char guid[GUID_TEXT_MAX];
    random_guid(guid);
    AUTO_FREE char *temporary = xasprintf(".%s.%s", name, guid);
    AUTO_CLOSE int fd =
        openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, STATE_FILE_SECRET);
    if (fd < 0)
        return error_from_errno(err, "make %s", name);

    /* The mode last but for the name: the umask has no say in it. */
    if (write_all(fd, data, length) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
        renameat(directory_fd, temporary, directory_fd, name) < 0) {
        error_from_errno(err, "write %s", name);
        unlinkat(directory_fd, temporary, 0);
        return -1;
    }
    return 0;
}

/* As state_file_write names what is not whole yet. */
static bool is_temporary(const char *name)
{
    const char *guid = strrchr(name, '.');
    return *name == '.' && guid > name + 1 && guid_is_valid(guid + 1);
}

static bool is_left(int directory_fd, const char *name)
{
    struct stat info;
    return fstatat(directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
           time(NULL) - info.st_mtime > STATE_FILE_LEFT_S;
}

int state_file_sweep(int directory_fd, struct error *err)
{
    DIR *directory = directory_list(directory_fd);
    if (!directory)
        return error_from_errno(err, "list the state directory");
    const struct dirent *entry;
    for (int i = 0; i < STATE_FILE_SWEPT_MAX && (entry = readdir(directory)); i++) {
        if (is_temporary(entry->d_name) && is_left(directory_fd, entry->d_name))
            unlinkat(directory_fd, entry->d_name, 0);
    }
    closedir(directory);
    return 0;
}
