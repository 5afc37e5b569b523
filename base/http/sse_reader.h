/* sse_reader: a streaming reader of server-sent events (WHATWG HTML, "Server-sent events").
 *
 * Takes the bytes in any pieces: line ends are LF, CR or CR LF, a byte order mark at the start is
 * skipped, comments and unknown fields are ignored, several data lines make one text with line
 * feeds between. Memory is bounded by the limit on one event. Fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"
#include "base/core/error.h"

enum { SSE_NAME_BYTES_MAX = 127 }; /* of an event's name; the rest is cut off (our limit) */

struct sse_reader_handler {
    void *self;
    /* An event with data. name is "" where there is none. data ends with a NUL that is not counted
     * and is not kept. 0 to go on, -1 with *err set to stop: sse_reader_feed returns the same. */
    int (*on_event)(void *self, const char *name, const char *data, size_t length,
                    struct error *err);
};

/* Embedded in the caller's struct. */
struct sse_reader {
    struct sse_reader_handler handler;
    struct buf line; /* the line that has not ended yet */
    struct buf data; /* of the event so far */
    char name[SSE_NAME_BYTES_MAX + 1];
    bool has_data;
    bool skip_line_feed; /* the last piece ended with CR */
    bool started;        /* the first line has been seen */
};

/* event_bytes_max bounds a line and the data of one event. */
void sse_reader_begin(struct sse_reader *reader, size_t event_bytes_max,
                      const struct sse_reader_handler *handler);
void sse_reader_clear(struct sse_reader *reader);

/* ERROR_LIMIT: a line or an event is too long. */
int sse_reader_feed(struct sse_reader *reader, const char *data, size_t length, struct error *err);
/* The stream has ended. An event that misses only its line ends is handed on, which the standard
 * would drop: servers forget the last one. The handler judges whether it is whole. */
int sse_reader_finish(struct sse_reader *reader, struct error *err);
