/* identifier: the caller's name for a session.
 *
 * 4 to 128 printable ASCII characters without space (docs/api.md, "Identifier"). It is an opaque
 * table key: it never becomes a path or the name of anything in the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { IDENTIFIER_LENGTH_MIN = 4, IDENTIFIER_LENGTH_MAX = 128 };

bool identifier_is_valid(const char *text, size_t length);
