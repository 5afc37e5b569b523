#include "sandboxd/sandbox/descriptors.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <unistd.h>

#include "base/core/without.h"

/* Behind every place, so that a copy there is in nobody's way. */
enum { SAFE_FD = DESCRIPTORS_FIRST + DESCRIPTORS_MAX };

static int copy(int fd, struct error *err)
{
    int safe = fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
    return safe < 0 ? error_from_errno(err, "duplicate a descriptor") : safe;
}

int descriptors_place(const int *fds, int count, struct error *err)
{
    int safe[DESCRIPTORS_MAX];
    assert(count <= DESCRIPTORS_MAX);
    for (int i = 0; i < count; i++) {
        safe[i] = fds[i] < 0 ? -1 : copy(fds[i], err);
        if (fds[i] >= 0 && safe[i] < 0)
            return -1;
    }
    for (int i = 0; i < count; i++) {
        if (safe[i] < 0)
            close(DESCRIPTORS_FIRST + i);
        else if (dup2(safe[i], DESCRIPTORS_FIRST + i) < 0)
            return error_from_errno(err, "place a descriptor");
    }
    if (LAYER("descriptors") &&
        close_range((unsigned)(DESCRIPTORS_FIRST + count), ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return error_from_errno(err, "close_range");
    return 0;
}

int descriptors_execute(int executable_fd, const char *const *arguments, const int *fds, int count,
                        struct error *err)
{
    static char *const no_environment[] = {NULL};
    int safe = copy(executable_fd, err);
    if (safe < 0 || descriptors_place(fds, count, err) < 0)
        return -1;
    fexecve(safe, (char *const *)(uintptr_t)arguments,
            LAYER("environment") ? no_environment : environ);
    return error_from_errno(err, "execute %s", arguments[0]);
}

int descriptors_close_from(unsigned first, struct error *err)
{
    if (LAYER("descriptors") && close_range(first, ~0U, 0) < 0)
        return error_from_errno(err, "close_range");
    return 0;
}
