/* arguments: what a model wrote as a tool call's arguments, as one JSON object or as a problem.
 *
 * Repairs only what has one meaning: a comma too many, line ends and tabs inside strings, unknown
 * escapes, an object inside a string, bare code where the tool takes one text. Nothing is ever
 * closed that was left open: a call that was cut off is not run. Fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/llm/llm.h"

/* What must be known of a tool to read its arguments, and to describe it. */
struct tool_shape {
    char *name;
    char *text_property; /* its only required parameter, a string; NULL: it is not so simple */
    bool is_strict;      /* every parameter is required and no other is allowed */
};

struct tool_shapes {
    struct tool_shape *items;
    size_t count;
};
/* ERROR_INVALID: a tool's parameters are not a JSON schema of an object; the message names it. */
int tool_shapes_read(const struct llm_tool *tools, size_t count, struct tool_shapes *ret_shapes,
                     struct error *err);
void tool_shapes_clear(struct tool_shapes *shapes);
/* NULL: there is no such tool. */
const struct tool_shape *tool_shapes_find(const struct tool_shapes *shapes, const char *name);

/* Appends the object to out. ERROR_INVALID: it cannot be read, and the message is written for the
 * model. shape: NULL for a tool that is not known. */
int arguments_read(const struct tool_shape *shape, const char *text, size_t length, struct buf *out,
                   struct error *err);

/* For text protocols: the input as it stands is the tool's one text, out of its fence or quotes
 * where it has some. */
int arguments_read_text(const struct tool_shape *shape, const char *text, size_t length,
                        struct buf *out, struct error *err);
