/* writer: JSON text, written member by member into a buffer.
 *
 * Nothing is built first, so text of any size passes in one copy and NULs become \u0000. A writer
 * that has met its buffer's limit ignores every further call; writer_finish tells. Keys are plain
 * ASCII and are NULL inside an array.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"

struct writer {
    struct buf *out;
    bool with_ids; /* every object begins with "$id", numbered in document order */
    unsigned last_id;
    bool needs_comma;
    bool failed;
    size_t start; /* out's length at the beginning */
};

struct writer writer_begin(struct buf *out, bool with_ids);
/* ERROR_LIMIT when the text did not fit; out is then as it was before. */
int writer_finish(struct writer *writer, struct error *err);

void writer_open_object(struct writer *writer, const char *key);
void writer_close_object(struct writer *writer);
void writer_open_array(struct writer *writer, const char *key);
void writer_close_array(struct writer *writer);

/* UTF-8; ill-formed bytes become U+FFFD. text may be NULL when length is 0. */
void writer_text(struct writer *writer, const char *key, const char *text, size_t length);
/* NULL is written as "". */
void writer_string(struct writer *writer, const char *key, const char *text);
void writer_integer(struct writer *writer, const char *key, int64_t value);
void writer_boolean(struct writer *writer, const char *key, bool value);
void writer_null(struct writer *writer, const char *key);
/* A time since 1970, as text_format_time has it. */
void writer_time(struct writer *writer, const char *key, int64_t us);
/* Already JSON. */
void writer_raw(struct writer *writer, const char *key, const char *json, size_t length);
