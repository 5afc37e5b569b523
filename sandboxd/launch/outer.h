/* outer: the user namespace that everything of the daemon lives in. */
#pragma once

#include "base/core/error.h"
#include "sandboxd/ids/range.h"

/* Makes the namespace and becomes 0 in it, the first of the ids. The others follow; but for an
 * ordinary user the outer 1, the front, is that user, so that the state directory is his. Where
 * the layer "ids" is missing, 0 is that user, and there is no other. Afterwards nothing of us is
 * root on the machine. */
int outer_enter(const struct machine_ids *ids, struct error *err);
