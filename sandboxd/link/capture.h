/* capture: one output stream of an execution, bounded while it is read.
 *
 * Keeps the first and the last half of the limit and counts what lies between, so that an endless
 * stream costs no more memory than its limit and both its start and its end can be read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"

/* stdout and stderr each, unless it is set otherwise (docs/api.md, "Limits"). */
enum { CAPTURE_BYTES_MAX = 10 * 1024 * 1024 };

struct capture {
    size_t limit;       /* bytes kept */
    struct buf head;    /* the first limit / 2 bytes */
    char *tail;         /* ring of the last limit - limit / 2 bytes; NULL until needed */
    size_t tail_length; /* bytes in the ring */
    size_t tail_next;   /* where the next byte goes */
    uint64_t total;     /* bytes seen */
};

void capture_open(struct capture *capture, size_t limit);
void capture_close(struct capture *capture);
void capture_append(struct capture *capture, const char *data, size_t length);
/* Copies up to `room` bytes that follow the position `at` of the stream and each other; *ret_length
 * says how many. Returns the position of the first of them, which is behind `at` where bytes in
 * between are not kept. */
uint64_t capture_read(const struct capture *capture, uint64_t at, char *data, size_t room,
                      size_t *ret_length);
/* Appends the stream as UTF-8 to out, with one line in the middle that says how much was left out.
 * Ill-formed bytes become U+FFFD. */
void capture_write(const struct capture *capture, struct buf *out);
