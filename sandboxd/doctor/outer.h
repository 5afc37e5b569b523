/* outer: the user namespace that the daemon lives in, made for a probe as sandboxd makes it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "sandboxd/doctor/child.h"
#include "sandboxd/ids/subordinate.h"

enum outer_ids { OUTER_AS_ROOT, OUTER_WITH_SUBORDINATE, OUTER_WITH_SINGLE };

struct outer {
    enum outer_ids ids;
    struct machine_ids range; /* for a single id, our own */
    struct error why;         /* a single id: why there is no range */
};

/* For programs: "root", "subordinate-ids", "single-id"; and for people: "as root", "with
 * subordinate ids", "with a single id". */
const char *outer_name(enum outer_ids ids);
const char *outer_words(enum outer_ids ids);

/* How the caller would start the daemon. *ret_lock_fd holds the range while it is open, or is -1.
 */
void outer_find(struct outer *ret_outer, int *ret_lock_fd);

/* Runs act in a child that is id 0 of it. */
int outer_run(const struct outer *outer, child_act act, const void *argument,
              struct finding *finding, struct error *err);

/* In such a child: runs act in a further one, with these namespaces and a user namespace within,
 * whose ids are those of a session. */
int outer_run_session(const struct outer *outer, uint64_t flags, child_act act,
                      const void *argument, struct finding *finding, struct error *err);

/* Writes the ids of a session into the user namespace of a child of such a child. */
int outer_map_session(const struct outer *outer, pid_t pid, struct error *err);
