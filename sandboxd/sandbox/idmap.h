/* idmap: which ids a user namespace knows, and taking one of them. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/core/error.h"

/* The ids that exist inside a session. */
enum { SESSION_ROOT_ID = 0, SESSION_GUEST_ID = 1000 };

/* `count` ids from `inside` on, and what they are in the parent namespace. */
struct idmap_range {
    uint32_t inside;
    uid_t uid;
    gid_t gid;
    uint32_t count;
};
enum { IDMAP_RANGES_MAX = 2 };

/* Writes uid_map and gid_map of a process in a new user namespace. The caller needs CAP_SETUID and
 * CAP_SETGID over the parent namespace; not for one id that is its own, alone, which may then not
 * call setgroups. */
int idmap_write(pid_t pid, const struct idmap_range *ranges, int count, struct error *err);

/* No supplementary groups, then group and user id, real, effective and saved. Capabilities follow
 * the usual rules for set*id. Nothing where the layer "ids" is missing: there is no other id. */
int idmap_become(uid_t id, struct error *err);
