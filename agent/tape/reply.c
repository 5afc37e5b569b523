#include "agent/tape/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

enum { CHANCE_BYTES_MAX = 48 }; /* more than one short event, so that pieces hold parts of two */

void reply_clear(struct reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    buf_free(&reply->body);
    free(reply->pieces);
    *reply = (struct reply){0};
}

void reply_add_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->header_count == REPLY_HEADERS_MAX)
        return;
    reply->headers[reply->header_count++] =
        (struct reply_header){.name = xstrdup(name), .value = xstrdup(value)};
}

static size_t pieces_end(const struct reply *reply)
{
    return reply->piece_count > 0 ? reply->pieces[reply->piece_count - 1].end : 0;
}

static void add_piece(struct reply *reply, size_t end, int64_t delay_ms)
{
    if (reply->piece_count == reply->piece_capacity) {
        reply->piece_capacity = reply->piece_capacity ? 2 * reply->piece_capacity : 16;
        reply->pieces = xrealloc(reply->pieces, reply->piece_capacity * sizeof *reply->pieces);
    }
    reply->pieces[reply->piece_count++] = (struct reply_piece){end, delay_ms};
}

void reply_end_piece(struct reply *reply, int64_t delay_ms)
{
    if (reply->body.length > pieces_end(reply))
        add_piece(reply, reply->body.length, delay_ms);
}

/* xorshift64: the same seed cuts the same way everywhere. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t next_size(const struct script_chunks *chunks, uint64_t *state, size_t left)
{
    uint64_t size = left;
    if (chunks->kind == SCRIPT_BY_SIZE)
        size = chunks->number;
    else if (chunks->kind == SCRIPT_BY_CHANCE)
        size = 1 + draw(state) % CHANCE_BYTES_MAX;
    return size < left ? (size_t)size : left;
}

void reply_split(struct reply *reply, const struct script_chunks *chunks)
{
    if (chunks->kind == SCRIPT_BY_EVENT || reply->body.length == 0)
        return;
    AUTO_FREE struct reply_piece *old = TAKE(reply->pieces);
    size_t old_count = reply->piece_count, seen = 0;
    uint64_t state = chunks->number * 2 + 1; /* never 0, which would stay 0 */
    reply->piece_count = reply->piece_capacity = 0;

    for (size_t start = 0, end; start < reply->body.length; start = end) {
        end = start + next_size(chunks, &state, reply->body.length - start);
        int64_t delay_ms = 0;
        /* A piece waits for the last of those that it holds the beginning of. */
        for (; seen < old_count && (seen == 0 ? 0 : old[seen - 1].end) < end; seen++)
            delay_ms += old[seen].delay_ms;
        add_piece(reply, end, delay_ms);
    }
}

void reply_cut(struct reply *reply, size_t bytes)
{
    reply->is_cut = true;
    if (bytes >= reply->body.length)
        return;
    reply->body.length = bytes;
    while (reply->piece_count > 0 && reply->pieces[reply->piece_count - 1].end > bytes) {
        size_t start = reply->piece_count > 1 ? reply->pieces[reply->piece_count - 2].end : 0;
        if (start < bytes)
            reply->pieces[reply->piece_count - 1].end = bytes;
        else
            reply->piece_count--;
    }
}
