/* sse: server-sent events as text (WHATWG HTML, "Server-sent events").
 *
 * An event is a name and data. Line ends inside the data begin another data line, so that a reader
 * gets them back as line feeds and no data can end its event or look like another field.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"

/* Appends an event. name is a word of ours; data is UTF-8. False, with out as it was, when its
 * limit is reached. */
bool sse_write_event(struct buf *out, const char *name, const char *data, size_t length);

/* Appends a line that readers skip, one line of ours: it keeps a connection in use. */
bool sse_write_comment(struct buf *out, const char *text);

/* How many of the bytes can be sent now without cutting a character: all of them, or all but the
 * beginning of a character whose rest may follow. Ill-formed bytes count as characters. */
size_t sse_cut(const char *data, size_t length);
