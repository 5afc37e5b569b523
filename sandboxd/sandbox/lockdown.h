/* lockdown: giving everything up, in order, and checking that it took.
 *
 * Each function is a list of steps with the reason for its order; the first that fails ends it and
 * the caller must not go on. After the steps the result is verified from the kernel's own answers.
 */
#pragma once

#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/sandbox/landlock.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/namespaces.h"
#include "sandboxd/sandbox/seccomp.h"

/* A process that is about to run guest code. */
struct lockdown_guest {
    const struct limits_guest *limits;          /* borrowed */
    const struct landlock_rules *landlock;      /* borrowed */
    const struct seccomp_filter *filter;        /* borrowed */
    const struct namespaces_identity *outsider; /* namespaces it must share none of; borrowed */
    /* For a filter that asks: takes the listener away before anything may be refused. */
    int (*hand_over)(int listener_fd, struct error *err);
};

/* The caller is in the session's namespaces as root there, with nothing open that the guest must
 * not have. Afterwards it is id 1000 with no capability, behind the filter. */
int lockdown_enter_guest(const struct lockdown_guest *guest, struct error *err);

/* The broker, and all that it will start: behind a filter of what none of them ever needs. */
int lockdown_enter_broker(const struct seccomp_filter *filter, struct error *err);

/* PID 1 of a session: keeps what it needs to kill guests and to lend its file helper the guest's
 * file-system id, and a filter that allows that and what the helper's own does. */
int lockdown_enter_shell(const struct seccomp_filter *filter, struct error *err);

/* The file helper, a fork of PID 1: reads and writes files as the guest, may do nothing else. */
int lockdown_enter_file_helper(const struct seccomp_filter *filter, struct error *err);

/* The network of one session: another id, a root that holds a resolv.conf and nothing else, the
 * machine's network, no capability, its own filter. */
int lockdown_enter_egress(uid_t id, const char *resolv_conf, const struct seccomp_filter *filter,
                          struct error *err);

/* The front: another id, a root that holds the state directory and nothing else, no network but the
 * sockets it holds, no capability, a filter of its own. Keeps descriptors 0 to state_fd, the last
 * of them: it becomes the directory as seen in the new root. */
int lockdown_enter_front(uid_t id, int state_fd, const struct seccomp_filter *filter,
                         struct error *err);
