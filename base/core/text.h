/* text: small parsers and formatters for bytes that may come from anywhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"

/* Decimal digits and nothing else: no sign, no blank, no line end, no overflow. */
bool text_parse_u64(const char *text, uint64_t *ret_value);

bool text_equal_ignoring_case(const char *a, const char *b);
bool text_starts_with(const char *text, const char *prefix);

/* Reads a descriptor to its end. ERROR_LIMIT when it holds more than limit_bytes. The result is
 * NUL-terminated and yours; NULL on failure. ret_length may be NULL. */
char *text_read_all(int fd, size_t limit_bytes, size_t *ret_length, struct error *err);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF). */
bool text_is_utf8(const char *data, size_t length);

/* Appends the bytes with each ill-formed sequence replaced by U+FFFD. False when out's limit is
 * reached. */
bool text_append_utf8_lossy(struct buf *out, const char *data, size_t length);

/* Bytes of the first `most` characters of UTF-8 text, or of all of it; *ret_count is how many
 * characters those are. */
size_t text_first_characters(const char *data, size_t length, int64_t most, int64_t *ret_count);

/* Percent-decodes once into out (which is emptied first); "+" stays a plus. ERROR_INVALID on a
 * broken escape, a NUL, or ill-formed UTF-8; ERROR_LIMIT beyond out->limit. */
int text_percent_decode(const char *data, size_t length, struct buf *out, struct error *err);

/* Appends data percent-encoded: everything but letters, digits and "-._~" and the bytes in `keep`
 * (may be NULL). */
bool text_percent_encode(struct buf *out, const char *data, size_t length, const char *keep);

/* RFC 3339 in UTC with 7 fractional digits and "Z", as the service prints it
 * (2024-11-11T09:05:02.4865293Z). */
enum { TEXT_TIME_MAX = 40 };
void text_format_time(int64_t seconds, int64_t nanoseconds, char ret_text[TEXT_TIME_MAX]);

/* Compares in a time that does not depend on where they differ (lengths may leak). */
bool text_equal_constant_time(const char *a, size_t a_length, const char *b, size_t b_length);
