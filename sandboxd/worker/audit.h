/* audit: what guest code tries at the level of Python, as the interpreter's own audit events tell
 * (PEP 578).
 *
 * Runs in: the interpreter. Whoever owns this process can forge or silence it: it explains, it
 * guards nothing. Loopback addresses and sockets with a path are nobody's business.
 */
#pragma once

#include <stdbool.h>

#include "base/core/buf.h"
#include "base/core/error.h"

/* From now on, for good. */
int audit_start(struct error *err);

/* Forgets what was seen so far. */
void audit_reset(void);

/* Appends what was tried since, in the form of FRAME_REFUSALS. */
void audit_write(struct buf *out);

/* The last operation on processes, "os.kill" or the like; NULL for none. Static. */
const char *audit_last_operation(void);
