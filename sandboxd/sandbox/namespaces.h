/* namespaces: processes that start in or join namespaces, held by pidfd from birth to reaping. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/core/error.h"

/* Everything a session is separated by. */
enum { NAMESPACES_OF_A_SESSION_MAX = 7 };
uint64_t namespaces_of_a_session(void);

struct namespaces_clone {
    uint64_t flags;       /* CLONE_NEW*, CLONE_PARENT */
    int cgroup_fd;        /* v2 directory to start in, or -1 */
    uint64_t tid_address; /* where the C library keeps the thread's id (set for the child), or 0 */
};

/* fork with clone3. Returns 0 in the child, its pid in the parent (with *ret_pid_fd set,
 * close-on-exec, yours), -1 with *err set. The caller must have one thread. */
pid_t namespaces_clone(const struct namespaces_clone *how, int *ret_pid_fd, struct error *err);

/* The address where glibc caches this thread's id, or 0 when the kernel does not tell. */
uint64_t namespaces_tid_address(void);

/* Children of the caller start in the pid namespace of the process. */
int namespaces_join_for_children(int pid_fd, struct error *err);
/* The caller enters user, mount, net, ipc, uts and cgroup namespace of the process, in one step. */
int namespaces_join(int pid_fd, struct error *err);

int namespaces_signal(int pid_fd, int signal, struct error *err);
/* Reaps. Returns 1 with *ret_status as wait(2) gives it, 0 when it still runs (only with wait
 * false). */
int namespaces_reap(int pid_fd, bool wait, int *ret_status, struct error *err);

/* The namespaces of the caller as inode numbers, read below proc_fd, a descriptor of a procfs. */
struct namespaces_identity {
    uint64_t inodes[NAMESPACES_OF_A_SESSION_MAX];
};
int namespaces_identify(int proc_fd, struct namespaces_identity *ret_identity, struct error *err);
/* ERROR_DENIED naming the first namespace that both share. */
int namespaces_require_distinct(const struct namespaces_identity *a,
                                const struct namespaces_identity *b, struct error *err);
