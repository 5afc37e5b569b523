/* position: where in JSON text a value is, for messages about documents that people write.
 *
 * Jansson knows no positions once it has parsed. Bounded, allocates nothing, never recurses; takes
 * any bytes, and is fuzzed.
 */
#pragma once

#include <stddef.h>

/* The line, from 1 on, of the value with that JSON path (`calls[3].allow[2]`); where the path leads
 * nowhere, of the innermost value on the way there. */
size_t json_position_line(const char *data, size_t length, const char *path);
