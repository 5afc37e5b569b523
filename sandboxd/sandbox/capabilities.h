/* capabilities: what a process may still do as root of its namespace. */
#pragma once

#include <sys/capability.h>

#include "base/core/error.h"

/* Empties the ambient and the bounding set (unknown newer capabilities included) and locks the
 * secure bits, so that neither exec nor set*id brings anything back. Needs CAP_SETPCAP. */
int capabilities_close_bounds(struct error *err);

/* What the caller has stays with it across an exec, whatever its id. */
int capabilities_keep_across_exec(struct error *err);

/* Keeps exactly these, permitted and effective; the inheritable set is emptied. */
int capabilities_keep(const cap_value_t *kept, int count, struct error *err);

/* ERROR_DENIED unless every set of the caller, the bounding set too, is empty. */
int capabilities_require_none(struct error *err);
