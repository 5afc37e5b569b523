/* spawn: how the broker starts processes: the front, the zygotes, shells and networks of sessions.
 *
 * Executables are descriptors that launch opened. A child gets a channel as descriptor 3, those
 * named here behind it and the standard three, no signal mask, no environment, and nothing else.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/core/error.h"
#include "sandboxd/broker/cgroup.h"

enum { SPAWN_FDS_MAX = 8 };

struct spawn {
    int executable_fd;
    const char *const *arguments; /* NULL-terminated, its name first */
    int fds[SPAWN_FDS_MAX];       /* become 4, 5, ...; borrowed */
    int fd_count;
    const struct cgroup_tree *tree; /* NULL, or: starts in the shell cgroup of this session */
    uint64_t session;
    uint32_t root_id;  /* 0, or: PID 1 of new namespaces, and these are outer ids for */
    uint32_t guest_id; /* the session's 0 and 1000 */
};

/* channel_fd, borrowed, becomes 3. Returns its pid; *ret_pid_fd is yours. */
pid_t spawn_start(const struct spawn *spawn, int channel_fd, int *ret_pid_fd, struct error *err);
