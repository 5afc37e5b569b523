#include "base/core/directory.h"

#include <errno.h>
#include <fcntl.h>
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
