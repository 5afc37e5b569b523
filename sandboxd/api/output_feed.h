/* output_feed: one reader's way through the output of a run, as server-sent events.
 *
 * Holds positions and no bytes: a reader that falls behind costs nothing, and what the run itself
 * has let go meanwhile is left out, with an event that says so. Each stream is in order; the two
 * are not ordered among themselves, as they are two pipes.
 *
 *     event: stdout                         event: dropped
 *     data: {"text":"hello\n"}              data: {"stream":"stdout","bytes":4711}
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "sandboxd/link/interpreter.h"

enum { OUTPUT_EVENT_BYTES_MAX = 16 * 1024 }; /* of a stream in one event (our limit) */

struct output_feed {
    uint64_t at[2]; /* stdout, stderr */
    int64_t characters_left[2];
};

/* characters_max: of each stream, the rest is left out silently; -1: all. */
void output_feed_open(struct output_feed *feed, int64_t characters_max);

/* Appends the next event of each stream, if it has any. The beginning of a character waits for its
 * rest, unless the run is over. False when there was nothing, or memory is out. */
bool output_feed_next(struct output_feed *feed, const struct run *run, bool is_over,
                      struct buf *out);
