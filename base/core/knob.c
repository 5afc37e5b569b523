#include "base/core/knob.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"

int knob_write(int dir_fd, const char *path, const char *word, struct error *err)
{
    AUTO_CLOSE int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, word, strlen(word)) < 0)
        return error_from_errno(err, "write %s", path);
    return 0;
}
