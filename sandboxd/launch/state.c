#include "sandboxd/launch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "sandboxd/ids/range.h"

enum { STATE_DIRECTORY_MODE = 0711 };

static int make_directories(const char *path, struct error *err)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return error_set(err, ERROR_INVALID, "--state-dir is too long");
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return error_from_errno(err, "make %s", part);
        *p = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_from_errno(err, "make %s", path);
    return 0;
}

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

static int hand_over_files(int dir_fd, uid_t owner, struct error *err)
{
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

int state_open(const char *path, const uid_t *owner, int *ret_fd, struct error *err)
{
    if (make_directories(path, err) < 0)
        return -1;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_from_errno(err, "open --state-dir %s", path);
    if (!is_ours_or_empty(fd, owner))
        return error_set(err, ERROR_CONFLICT,
                         "--state-dir %s holds other things; name a directory of its own", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--state-dir %s is in use by another sandboxd", path);
    /* Secrets in it have modes of their own; clients read the certificate authority. */
    if ((owner && fchown(fd, *owner, *owner) < 0) || fchmod(fd, STATE_DIRECTORY_MODE) < 0)
        return error_from_errno(err, "take --state-dir %s over", path);
    if (owner && hand_over_files(fd, *owner, err) < 0)
        return -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}
