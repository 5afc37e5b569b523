/* base64: RFC 4648, the standard alphabet with padding. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"

/* Appends the text of the bytes to out; false when its limit is reached. */
bool base64_encode(const void *data, size_t length, struct buf *out);

/* Appends the bytes of the text to out. White space is skipped, for encoders that break lines.
 * False for any other foreign byte, missing or misplaced padding, stray bits, and when out's limit
 * is reached. */
bool base64_decode(const char *text, size_t length, struct buf *out);
