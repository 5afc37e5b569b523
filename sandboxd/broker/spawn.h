/* spawn: how the broker starts processes: the front, the zygote, shells and networks of sessions.
 *
 * Executables are descriptors that launch opened. A child gets the descriptors named here from
 * number 3 on and the standard three, no signal mask, and nothing else.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/core/error.h"
#include "sandboxd/broker/cgroup.h"

enum { SPAWN_FDS_MAX = 8 };

/* A program in the broker's own namespaces. */
struct spawn_program {
    int executable_fd;
    const char *const *arguments;   /* NULL-terminated */
    const int *fds;                 /* become 3, 4, ...; borrowed */
    int fd_count;                   /* at most SPAWN_FDS_MAX */
    const struct cgroup_tree *tree; /* NULL, or: starts in the shell cgroup of this session */
    uint64_t session;
};
/* Returns its pid; *ret_pid_fd is yours. */
pid_t spawn_program(const struct spawn_program *program, int *ret_pid_fd, struct error *err);

/* PID 1 of a session: new namespaces, two ids of its own, the session's shell cgroup. */
struct spawn_shell {
    int executable_fd;
    int command_fd; /* the shell's ends; borrowed */
    int file_fd;
    uint32_t root_id; /* outer ids for the session's 0 and 1000 */
    uint32_t guest_id;
    const struct cgroup_tree *tree;
    uint64_t session;
};
/* As above. */
pid_t spawn_shell(const struct spawn_shell *shell, int *ret_pid_fd, struct error *err);
