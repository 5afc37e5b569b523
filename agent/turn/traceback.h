/* traceback: Python's tracebacks without the frames of libraries, which tell a model nothing that
 * the last line does not. Pure.
 */
#pragma once

#include "base/core/buf.h"

/* Appends stderr to out. Text that is no traceback stays as it is; both of Python's own form and of
 * a notebook's are known. */
void traceback_trim(const char *data, size_t length, struct buf *out);
