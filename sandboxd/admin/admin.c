#include "sandboxd/admin/admin.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"

/* Groups first: afterwards nobody may change them. */
static int become(uid_t uid, gid_t gid, struct error *err)
{
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return error_from_errno(err, "become id %u", uid);
    return 0;
}

int admin_open_state(const char *path, struct admin_state *ret_state, struct error *err)
{
    struct stat info;
    AUTO_FREE char *absolute = realpath(path, NULL);
    if (!absolute)
        return error_from_errno(err, "%s", path);
    AUTO_CLOSE int fd = open(absolute, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0)
        return error_from_errno(err, "open %s", absolute);
    if (geteuid() == 0 && info.st_uid != 0 && become(info.st_uid, info.st_gid, err) < 0)
        return -1;
    *ret_state = (struct admin_state){.fd = TAKE_FD(fd), .path = TAKE(absolute)};
    return 0;
}

void admin_close_state(struct admin_state *state)
{
    close_fd(&state->fd);
    free(state->path);
}

int admin_fail(const struct admin_state *state, const struct error *err)
{
    const char *path = state->path ? state->path : "";
    fprintf(stderr, "sandboxd: %s%s%s\n", path, *path ? ": " : "", err->message);
    if (err->code == ERROR_DENIED && geteuid() != 0)
        fprintf(stderr,
                "sandboxd: only root and the daemon may read its secrets: put sudo in front\n");
    if (err->code == ERROR_MISSING)
        fprintf(stderr, "sandboxd: no daemon has run with this --state-dir; start one first%s\n",
                geteuid() == 0 ? "" : ", or put sudo in front if it was started by root");
    return EXIT_FAILURE;
}
