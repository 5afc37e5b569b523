/* answer: from what an interpreter did to what a client reads.
 *
 * docs/api.md, "Result value" and "When an execution ends badly".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json/wire.h"
#include "sandboxd/link/interpreter.h"

/* A whole answer: two streams and a value at their limits, escaped (our limit). */
enum { ANSWER_BYTES_MAX = 256 * 1024 * 1024 };

struct answer_options {
    bool value_as_text;            /* the value is always a JSON string (2024-10-02-preview) */
    bool none_as_null;             /* an explicit None is null (2025-10-02-preview) */
    bool with_refusals;            /* tell what was refused */
    int64_t stream_characters_max; /* of stdout and stderr each; -1: all */
};

/* Fills status, streams, result and time. */
void answer_fill(const struct run *run, const struct answer_options *options,
                 struct wire_execution *execution);
int64_t answer_execution_time_ms(const struct run *run);
