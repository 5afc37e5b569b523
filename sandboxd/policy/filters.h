/* filters: every policy that a daemon needs, compiled once, before the broker reads a frame. */
#pragma once

#include "sandboxd/policy/library.h"
#include "sandboxd/sandbox/profile.h"

/* Processes with a policy of their own. */
enum filters_process {
    FILTERS_FILE_HELPER,
    FILTERS_EGRESS,
    FILTERS_FRONT,
    FILTERS_SHELL, /* PID 1 of a session */
    FILTERS_PROCESSES_MAX
};

struct filters {
    int session_fds[LIBRARY_SESSIONS_MAX]; /* python first */
    struct profile_asking session_asking[LIBRARY_SESSIONS_MAX];
    size_t session_count;
    char *session_names; /* "python strict": in the same order */
    int process_fds[FILTERS_PROCESSES_MAX];
    int daemon_fd; /* what no process of the daemon ever asks for is refused, the rest allowed */
};

/* Our directory, and the user's or anything that is none. The descriptors in *ret_filters are
 * sealed memory files, close-on-exec, and stay open as long as the process. */
int filters_compile(int directory_fd, int own_directory_fd, struct filters *ret_filters,
                    struct error *err);
