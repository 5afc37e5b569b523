/* landlock: which files a process may still reach, by rules of its own that only ever get stricter.
 *
 * A second opinion on the mounts: it holds when one of them is not what it should be. The newest
 * features that the kernel has are used. The network is left alone: a session has none but its own.
 */
#pragma once

#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum { LANDLOCK_PATH_MAX = 64, LANDLOCK_RULES_MAX = 16 };

/* In the kernel's bits; what a file or a version of the kernel does not know is left out. */
enum landlock_access {
    LANDLOCK_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    LANDLOCK_EXECUTE = LANDLOCK_ACCESS_FS_EXECUTE,
    /* What is there; 1 << 14 is TRUNCATE, which headers of older systems lack. */
    LANDLOCK_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | 1 << 14,
    /* Make, move and remove files, links and directories; never devices. */
    LANDLOCK_CHANGE = LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                      LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                      LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER,
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
