#include "sandboxd/link/capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

void capture_open(struct capture *capture, size_t limit)
{
    *capture = (struct capture){.limit = limit};
}

void capture_close(struct capture *capture)
{
    buf_free(&capture->head);
    free(capture->tail);
    *capture = (struct capture){.limit = capture->limit};
}

/* Of the ring. */
static size_t tail_size(const struct capture *capture)
{
    return capture->limit - capture->limit / 2;
}

static void append_to_tail(struct capture *capture, const char *data, size_t length)
{
    size_t size = tail_size(capture);
    if (!capture->tail)
        capture->tail = xcalloc(1, size);
    if (length > size) {
        data += length - size;
        length = size;
    }
    size_t first = size - capture->tail_next < length ? size - capture->tail_next : length;
    memcpy(capture->tail + capture->tail_next, data, first);
    memcpy(capture->tail, data + first, length - first);
    capture->tail_next = (capture->tail_next + length) % size;
    capture->tail_length =
        capture->tail_length + length < size ? capture->tail_length + length : size;
}

void capture_append(struct capture *capture, const char *data, size_t length)
{
    capture->total += length;
    size_t room = capture->limit / 2 - capture->head.length;
    size_t to_head = length < room ? length : room;
    if (!buf_append(&capture->head, data, to_head))
        return;
    if (length > to_head)
        append_to_tail(capture, data + to_head, length - to_head);
}

static size_t read_head(const struct capture *capture, uint64_t at, char *data, size_t room)
{
    if (at >= capture->head.length)
        return 0;
    size_t left = capture->head.length - (size_t)at;
    size_t length = left < room ? left : room;
    memcpy(data, capture->head.data + at, length);
    return length;
}

/* at is a position in the tail, or behind it. */
static size_t read_tail(const struct capture *capture, uint64_t at, char *data, size_t room)
{
    size_t size = tail_size(capture);
    uint64_t left = capture->total - at;
    size_t length = left < room ? (size_t)left : room;
    if (length == 0)
        return 0;
    size_t start = (capture->tail_next + size - (size_t)left) % size;
    size_t first = size - start < length ? size - start : length;
    memcpy(data, capture->tail + start, first);
    memcpy(data + first, capture->tail, length - first);
    return length;
}

uint64_t capture_read(const struct capture *capture, uint64_t at, char *data, size_t room,
                      size_t *ret_length)
{
    uint64_t tail_at = capture->total - capture->tail_length;
    size_t length = read_head(capture, at, data, room);
    if (length == 0 && at < tail_at)
        at = tail_at;
    if (at + length >= tail_at)
        length += read_tail(capture, at + length, data + length, room - length);
    *ret_length = length;
    return at;
}

void capture_write(const struct capture *capture, struct buf *out)
{
    AUTO_BUF struct buf bytes = {0};
    uint64_t left_out = capture->total - capture->head.length - capture->tail_length;
    bool whole = buf_append(&bytes, capture->head.data, capture->head.length);
    if (left_out > 0)
        whole = whole &&
                buf_printf(&bytes, "\n[%" PRIu64 " bytes of output are left out here]\n", left_out);
    if (capture->tail_length > 0) {
        char *end = buf_reserve(&bytes, capture->tail_length);
        whole = whole && end;
        if (whole)
            bytes.length += read_tail(capture, capture->total - capture->tail_length, end,
                                      capture->tail_length);
    }
    if (whole && bytes.length > 0)
        text_append_utf8_lossy(out, bytes.data, bytes.length);
}
