/* http_target: a raw request target, taken apart.
 *
 * "/subscriptions//s/executions?identifier=a%20b" -> decoded path segments and query parameters.
 * Each is percent-decoded exactly once; "+" stays a plus; a segment "." or "..", a NUL, ill-formed
 * UTF-8 and a broken escape are ERROR_INVALID; empty segments are dropped ("//"). A decoded segment
 * may hold "/" ("%2F"). Fuzzed.
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"

enum { HTTP_TARGET_SEGMENTS_MAX = 64, HTTP_TARGET_PARAMETERS_MAX = 32 };

struct http_target {
    char *segments[HTTP_TARGET_SEGMENTS_MAX]; /* NUL-terminated, point into `storage` */
    size_t segment_count;
    char *names[HTTP_TARGET_PARAMETERS_MAX];
    char *values[HTTP_TARGET_PARAMETERS_MAX]; /* "" where there is no "=" */
    size_t parameter_count;
    char *storage;
};

/* ERROR_LIMIT beyond the counts above. On success free with http_target_clear. A target in absolute
 * form
 * ("http://host/path") is taken as its path. */
int http_target_parse(const char *raw, size_t length, struct http_target *ret_target,
                      struct error *err);
void http_target_clear(struct http_target *target);

/* The first parameter of that name, in any case; NULL where absent. */
const char *http_target_parameter(const struct http_target *target, const char *name);
/* How many parameters have that name. */
size_t http_target_parameter_count(const struct http_target *target, const char *name);
