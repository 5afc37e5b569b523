/* mounts: the file system that a session sees.
 *
 * A new read-only root is put together from the image's paths and a few small file systems, then
 * the machine's own tree is detached. Everything is mounted before any guest code runs; nothing is
 * ever mounted into a running session.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

#define MOUNTS_DATA_PATH "/mnt/data"
#define MOUNTS_HOME_PATH "/home/session"

struct mounts_plan {
    const char *const
        *paths; /* absolute; shown read-only, symbolic links copied, absent ones skipped */
    size_t path_count;
    uint64_t data_bytes;
    uint32_t data_inodes;
    int own_procfs; /* mount a procfs for the caller's pid namespace, which must be its own */
};

/* In a mount namespace of the caller's own. Afterwards the caller's root and working directory are
 * the new root. */
int mounts_build_root(const struct mounts_plan *plan, struct error *err);

/* An empty, read-only root, for a process that needs no files. In a mount namespace of its own. */
int mounts_empty_root(struct error *err);

/* ERROR_DENIED unless root and image are read-only, nosuid and nodev, and the data directory is a
 * file system of its own that is nosuid and nodev. */
int mounts_require_contained(struct error *err);
