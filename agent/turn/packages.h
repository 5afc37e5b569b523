/* packages: what a session has in place of a package that is missing.
 *
 * The session itself is asked, since only it knows: by a program, which works on every pool.
 */
#pragma once

#include "base/core/buf.h"
#include "base/json/wire.h"

enum { PACKAGES_TIMEOUT_S = 30 };

/* module is a plain name (failure.h). The program's text is returned. */
char *packages_probe(const char *module);
/* Appends one sentence with a blank in front, or nothing where there is nothing close. */
void packages_write_hint(const struct wire_execution *execution, struct buf *out);
