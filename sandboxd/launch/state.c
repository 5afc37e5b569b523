#include "sandboxd/launch/state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "sandboxd/ids/range.h"

/* A file that an earlier daemon's front has left goes to ours. Anything else stays whose it is: the
 * front then says what is wrong with it. */
static int hand_over_file(int dir_fd, const char *name, uid_t owner, struct error *err)
{
    struct stat st;
    AUTO_CLOSE int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_from_errno(err, "look at %s in --state-dir", name);
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !range_is_of_a_daemon(st.st_uid))
        return 0;
    if (fchownat(fd, "", owner, owner, AT_EMPTY_PATH) < 0)
        return error_from_errno(err, "give %s in --state-dir to id %u", name, owner);
    return 0;
}

int state_hand_over(int dir_fd, uid_t owner, struct error *err)
{
    if (fchown(dir_fd, owner, owner) < 0)
        return error_from_errno(err, "take --state-dir over");
    DIR *directory = directory_list(dir_fd);
    if (!directory)
        return error_from_errno(err, "list --state-dir");
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(directory)))
        result = hand_over_file(dir_fd, entry->d_name, owner, err);
    closedir(directory);
    return result;
}
