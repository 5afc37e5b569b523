#include "sandboxd/start/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "sandboxd/ids/range.h"

enum { STATE_DIRECTORY_MODE = 0711 };

/* It is about to change hands: /etc must not, by a slip of the pen. An ordinary user's own
 * directory is known by files that every daemon makes. */
static bool is_ours_or_empty(int dir_fd, bool changes_hands)
{
    struct stat st;
    if (changes_hands ? fstat(dir_fd, &st) == 0 && range_is_of_a_daemon(st.st_uid)
                      : faccessat(dir_fd, "daemon.json", F_OK, 0) == 0 ||
                            faccessat(dir_fd, "ca.pem", F_OK, 0) == 0)
        return true;
    DIR *directory = directory_list(dir_fd);
    if (!directory)
        return false;
    int entries = 0;
    while (readdir(directory))
        entries++;
    closedir(directory);
    return entries <= 2; /* "." and ".." */
}

int state_open(const char *path, bool changes_hands, int *ret_fd, struct error *err)
{
    if (directory_make(path, 0700, err) < 0)
        return error_add_context(err, "--state-dir");
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_from_errno(err, "open --state-dir %s", path);
    if (!is_ours_or_empty(fd, changes_hands))
        return error_set(err, ERROR_CONFLICT,
                         "--state-dir %s holds other things; name a directory of its own", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--state-dir %s is in use by another sandboxd", path);
    /* Secrets in it have modes of their own; clients read the certificate authority. */
    if (fchmod(fd, STATE_DIRECTORY_MODE) < 0)
        return error_from_errno(err, "open --state-dir %s to its readers", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
