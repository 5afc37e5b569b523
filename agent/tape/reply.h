/* reply: what a played server answers to one request: status, headers, and a body that comes in
 * pieces, each after a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/tape/script.h"
#include "base/core/buf.h"

enum {
    REPLY_HEADERS_MAX = 16,
    REPLY_BYTES_MAX = 64 * 1024 * 1024, /* of a body */
};

struct reply_header {
    char *name;
    char *value;
};

struct reply_piece {
    size_t end;       /* the offset behind its last byte */
    int64_t delay_ms; /* after the piece before it */
};

/* A zeroed struct is empty, with body.limit to be set. Free with reply_clear. */
struct reply {
    unsigned status;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t header_count;
    struct buf body;
    struct reply_piece *pieces; /* together they cover the body */
    size_t piece_count;
    size_t piece_capacity;
    bool is_cut; /* the connection breaks behind the last piece */
};

void reply_clear(struct reply *reply);
/* The names and values are copied; one too many is left out. */
void reply_add_header(struct reply *reply, const char *name, const char *value);
/* Makes a piece of what was appended to the body since the last one; none when that is nothing. */
void reply_end_piece(struct reply *reply, int64_t delay_ms);
/* Cuts the body anew. Delays stay where they were, to the byte that they come before. */
void reply_split(struct reply *reply, const struct script_chunks *chunks);
/* Drops what lies behind so many bytes; the connection then breaks there. */
void reply_cut(struct reply *reply, size_t bytes);
