/* buf: a growable byte buffer with a limit.
 *
 * A zeroed struct with a limit is an empty buffer. The bytes are followed by a NUL that is not
 * counted, so text can be read in place. Memory that a peer makes us take is bounded by `limit`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty */
    size_t length;
    size_t capacity;
    size_t limit; /* most bytes it will hold; 0 means no limit */
};

/* False when the limit would be passed or memory is out; the buffer is then unchanged. */
bool buf_append(struct buf *buf, const void *data, size_t length);
bool buf_append_text(struct buf *buf, const char *text);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `length` more bytes and returns where to write them, or NULL as above. The caller
 * adds what it wrote to buf->length. */
char *buf_reserve(struct buf *buf, size_t length);

/* Drops the first `length` bytes. */
void buf_consume(struct buf *buf, size_t length);

/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);

/* Frees the memory; the buffer is empty and usable afterwards. */
void buf_free(struct buf *buf);

/* Returns the NUL-terminated bytes (never NULL); the caller owns them; the buffer is empty after.
 */
char *buf_take(struct buf *buf);

#define AUTO_BUF __attribute__((cleanup(buf_free)))
