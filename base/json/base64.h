/* base64: RFC 4648, the standard alphabet with padding, and the one of URLs without. */
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

/* The alphabet of URLs, without padding, as tokens have it (RFC 7515, section 2). Decoding is
 * strict: false for any byte outside the alphabet, a length that cannot be, stray bits, and at
 * out's limit. */
bool base64url_encode(const void *data, size_t length, struct buf *out);
bool base64url_decode(const char *text, size_t length, struct buf *out);
