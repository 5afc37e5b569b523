#include "sandboxd/sandbox/profile.h"

#include <sys/uio.h>

int profile_read(int fd, struct profile *ret_profile, struct seccomp_filter *ret_filter,
                 struct error *err)
{
    const ssize_t head = sizeof *ret_profile;
    struct iovec parts[2] = {{ret_profile, sizeof *ret_profile}};
    if (ret_filter)
        parts[1] = (struct iovec){ret_filter->bytes, sizeof ret_filter->bytes};
    ssize_t length = preadv(fd, parts, ret_filter ? 2 : 1, 0);
    if (length < head || (ret_filter && length == head))
        return error_set(err, ERROR_SYSTEM, "a profile of %zd bytes", length);
    if (ret_filter)
        ret_filter->length = (size_t)(length - head);
    return 0;
}
