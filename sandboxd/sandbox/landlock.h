/* landlock: which files a process may still reach, by rules of its own that only ever get stricter.
 *
 * A second opinion on the mounts: it holds when one of them is not what it should be. The newest
 * features that the kernel has are used. The network is left alone: a session has none but its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum { LANDLOCK_PATH_MAX = 64, LANDLOCK_RULES_MAX = 16 };

enum landlock_access {
    LANDLOCK_READ = 1,
    LANDLOCK_EXECUTE = 2,
    LANDLOCK_WRITE = 4,  /* what is there */
    LANDLOCK_CHANGE = 8, /* make, move and remove files, links and directories; never devices */
};

/* Beneath the path, or on the file that it names: this as well. Plain bytes. */
struct landlock_rule {
    char path[LANDLOCK_PATH_MAX]; /* absolute; what does not exist allows nothing */
    uint32_t access;              /* of enum landlock_access */
};
struct landlock_rules {
    struct landlock_rule rules[LANDLOCK_RULES_MAX];
    size_t count;
};

/* The version of the interface that this kernel has; 0 or below: none. */
int landlock_version(void);

/* Everything that no rule allows is refused from here on, to children too. isolated: neither
 * signals nor abstract sockets reach processes outside, where the kernel knows how (version 6).
 * Sets no_new_privs. Does nothing where the layer is given up (base/core/layer.h). */
int landlock_restrict(const struct landlock_rules *rules, bool isolated, struct error *err);

/* ERROR_DENIED unless the kernel refuses, for Landlock and nothing else, to make a device in that
 * directory, which the caller may write to. */
int landlock_require(const char *directory, struct error *err);
