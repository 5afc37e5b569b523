#include "base/core/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

DIR *directory_read(int fd)
{
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory && fd >= 0) {
        int number = errno;
        close(fd);
        errno = number;
    }
    return directory;
}

DIR *directory_list(int fd)
{
    return directory_read(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int make_one(const char *path, mode_t mode, struct error *err)
{
    return mkdir(path, mode) < 0 && errno != EEXIST ? error_from_errno(err, "make %s", path) : 0;
}

int directory_make_parents(const char *path, struct error *err)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return error_set(err, ERROR_INVALID, "path too long: %.40s...", path);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (make_one(part, 0755, err) < 0)
            return -1;
        *p = '/';
    }
    return 0;
}

int directory_make(const char *path, mode_t mode, struct error *err)
{
    return directory_make_parents(path, err) < 0 ? -1 : make_one(path, mode, err);
}
