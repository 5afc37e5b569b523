/* remedy: what a person can do, on this machine, about a step that its kernel refused.
 *
 * Runs in: `sandboxd doctor`, and sandboxd itself when it does not start. Needs no privilege,
 * changes nothing. The facts are passed in, so that other machines can be imitated.
 */
#pragma once

#include "base/core/error.h"
#include "base/core/layer.h"
#include "sandboxd/remedy/facts.h"

enum remedy_step {
    REMEDY_USER_NAMESPACE,  /* unshare or clone with CLONE_NEWUSER */
    REMEDY_SUBORDINATE_IDS, /* newuidmap and newgidmap; ENOENT: no such programs, else no range */
    REMEDY_ID_MAP,          /* uid_map and gid_map, and becoming an id of theirs */
    REMEDY_NAMESPACES,      /* the other namespaces, and programs in them */
    REMEDY_LOOPBACK,        /* bringing lo up */
    REMEDY_MOUNTS,          /* tmpfs, open_tree, mount_setattr, move_mount, pivot_root */
    REMEDY_PROCFS,          /* a procfs of a pid namespace's own */
    REMEDY_JOIN,            /* setns by pidfd */
    REMEDY_FILTER,          /* loading a system call filter */
    REMEDY_LANDLOCK,
    REMEDY_CGROUPS,
    REMEDY_STEPS,
};

enum { REMEDY_TEXT_MAX = 384 };

/* One sentence without its full stop: the setting that stands in the way, and the command or option
 * that changes it. number is the errno that the step failed with. */
void remedy_find(enum remedy_step step, int number, const struct remedy_facts *facts,
                 char ret_text[REMEDY_TEXT_MAX]);

/* Appends the remedy for this machine to the message of *err, which is from the step (and may be
 * NULL). Returns -1. */
int remedy_append(enum remedy_step step, struct error *err);

/* The step of a layer has failed with *err. 0 where that layer may be missing (layer_miss); else
 * -1, with the remedy. */
int remedy_miss(enum layer layer, enum remedy_step step, uint32_t allowed, struct error *err);
