/* observation: what a model reads of an execution.
 *
 * Pure. Output is bounded by its head and tail, tracebacks keep the frames of the user's program,
 * images become a reference, and characters that would steer a terminal or hide text are spelled
 * out. All of it stands in fences that the output cannot close: it is data, and the words outside
 * are ours.
 */
#pragma once

#include "base/core/buf.h"
#include "base/json/wire.h"

enum observation_layout {
    OBSERVATION_FENCED,
    OBSERVATION_PYTHON_REPL, /* as LangChain's SessionsPythonREPLTool: a JSON object with result,
                                stdout and stderr, indented by two */
};

/* What a model gets of each at most, before the words that say what is left out. */
enum {
    OBSERVATION_OUTPUT_BYTES_MAX = 12 * 1024,
    OBSERVATION_ERRORS_BYTES_MAX = 6 * 1024,
    OBSERVATION_VALUE_BYTES_MAX = 8 * 1024,
};

/* image: the name by which the user gets the image of the value; NULL where it is none.
 * fact: what the agent adds; NULL or "": nothing. */
void observation_write(const struct wire_execution *execution, enum observation_layout layout,
                       const char *image, const char *fact, struct buf *out);

/* Appends hostile text as a fenced block: escaped, and cut to its head and tail beyond most_bytes.
 * language may be "". */
void observation_fence(const char *language, const char *data, size_t length, size_t most_bytes,
                       struct buf *out);
/* The same without a fence, for text that is put between quotes later. */
void observation_text(const char *data, size_t length, size_t most_bytes, struct buf *out);
