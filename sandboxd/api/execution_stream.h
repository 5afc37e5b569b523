/* execution_stream: an answer that tells of an execution while it runs, as server-sent events.
 *
 *     stdout, stderr   {"text": "…"} as the program writes
 *     dropped          {"stream": "stdout", "bytes": 1} where a slow reader missed some
 *     result           the resource that an answer without a stream would be; the last event
 *     error            or, in its place, the body of an error answer
 *
 * An extension: docs/api.md, "Extensions". A stream belongs to its exchange and ends with it. It
 * begins when there is something to tell, so that an execution that never has its turn still gets
 * an ordinary error answer.
 */
#pragma once

#include <stdbool.h>

#include "sandboxd/api/execution.h"

struct exchange;

enum { EXECUTION_STREAM_HEARTBEAT_MS = 15000 };

/* The client takes events and not JSON. */
bool execution_stream_is_wanted(const struct exchange *exchange);

/* Answers who has started the execution, without a watcher. cancels: a client that goes takes it
 * along. */
void execution_stream_open(struct exchange *exchange, struct execution *execution, bool cancels);
/* Answers who came later: with what it has written so far and what is to come, or with all of it
 * when it is over. */
void execution_stream_follow(struct exchange *exchange, struct execution *execution);
