/* layer: the layers of the isolation that may be missing where the user has said so by name.
 *
 * All others are there or the daemon does not start. launch finds out which are missing, and every
 * process of the daemon is told by its arguments, before it does anything else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"

enum layer {
    LAYER_CGROUP,
    LAYER_LANDLOCK,
    LAYER_UTS,
    LAYER_CGROUP_NAMESPACE,
    LAYER_IDS,
    LAYERS_MAX
};

/* As users write it: "cgroup-namespace". */
const char *layer_name(enum layer layer);

/* ERROR_INVALID with the list of names for one that is none of them. */
int layer_find(const char *name, enum layer *ret_layer, struct error *err);

/* What an --allow-missing of the command line says: adds the bit of that layer. ERROR_INVALID names
 * the option. */
int layer_allow(const char *name, uint32_t *allowed, struct error *err);

/* The layer is missing in this daemon: ERROR_DENIED, unless its bit is in `allowed`; then it is
 * logged and noted. `why` says what the machine lacks, and may be the message of err. */
int layer_miss(enum layer layer, uint32_t allowed, const char *why, struct error *err);

bool layer_is_missing(enum layer layer);

/* What is missing, as the argument of a program of the daemon, and taking it over there. */
const char *layers_to_argument(void);
int layers_from_argument(const char *text, struct error *err);
