/* mounts: the file system that a session sees.
 *
 * The broker puts a read-only root together once, in a mount namespace of its own: the image's
 * paths, a few files of ours, devices. A session clones it in one step, adds the file systems it
 * may write to, and detaches the machine's own tree. Everything is mounted before any guest code
 * runs; nothing is ever mounted into a running session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

#define MOUNTS_DATA_PATH "/mnt/data"
#define MOUNTS_HOME_PATH "/home/session"

enum { MOUNTS_PATHS_MAX = 64 };

/* Enters a mount namespace of the caller's own. *ret_fd is the directory dir_fd as seen there, for
 * paths only: what is mounted can be cloned from within its own namespace only. */
int mounts_unshare(int dir_fd, int *ret_fd, struct error *err);

/* Builds the root over /tmp of the caller's own mount namespace. paths: absolute
 * paths of the machine, shown read-only; symbolic links are copied, absent ones skipped. Children
 * that are started afterwards inherit it. */
int mounts_prepare(const char *const *paths, size_t count, struct error *err);

/* File systems that a session may write to beside the data directory. */
enum mounts_place { MOUNTS_TMP, MOUNTS_SHM, MOUNTS_HOME, MOUNTS_PLACES_MAX };
extern const char *const mounts_place_paths[MOUNTS_PLACES_MAX]; /* without the first slash */
enum { MOUNTS_DEVICES_MAX = 5 };
extern const char *const mounts_devices[MOUNTS_DEVICES_MAX]; /* their names in /dev */

/* What a policy says of them. */
struct mounts_choice {
    struct mounts_scratch {
        uint64_t bytes;
        uint32_t inodes;
        uint32_t programs; /* 1: files may be executed */
    } scratch[MOUNTS_PLACES_MAX];
    uint64_t devices; /* bit i: device i can be opened */
};

/* What differs from session to session. */
struct mounts_plan {
    const struct mounts_choice *choice;
    uint64_t data_bytes;
    uint32_t data_inodes;
    bool names;      /* host names are looked up in the network */
    bool own_procfs; /* mount a procfs for the caller's pid namespace, which must be its own */
};

/* In a mount namespace of the caller's own, copied from one that was prepared. Afterwards the
 * caller's root and working directory are the new root. */
int mounts_enter(const struct mounts_plan *plan, struct error *err);

/* A read-only root with nothing in it but the directory dir_fd, of this mount namespace, as
 * `relative`, where the caller may write. dir_fd leads out of the new root: close it. */
int mounts_lone_directory(int dir_fd, const char *relative, struct error *err);

/* A read-only root with one file in it, for the caller's own mount namespace. */
int mounts_lone_file(const char *relative, const char *text, struct error *err);

/* ERROR_DENIED unless root and image are read-only, nosuid and nodev, and the data directory is a
 * file system of its own that is nosuid and nodev. */
int mounts_require_contained(struct error *err);
