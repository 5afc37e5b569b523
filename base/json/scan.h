/* scan: looks at JSON text without building anything.
 *
 * The functions are bounded, allocate nothing and never recurse; they meet bytes from clients,
 * guests and models first, and are fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

/* Deepest nesting accepted anywhere. */
enum { JSON_DEPTH_MAX = 64 };

/* True when the bytes are exactly one JSON value by RFC 8259 (surrounding white space allowed): no
 * NaN, no single quotes, no trailing comma, no byte order mark, well-formed UTF-8, no escaped lone
 * surrogates, depth within JSON_DEPTH_MAX. Numbers are checked lexically, so integers of any length
 * pass. Rule R rests on this. */
bool json_scan_is_strict(const char *data, size_t length);

/* Finds the value of a member of the top-level object by a path of keys, for example {"result",
 * "executionResult"}; NULL ends the path. *ret_start and *ret_length then name the raw text of the
 * value inside data. ERROR_MISSING when there is no such member, ERROR_INVALID when data is not
 * strict JSON or names the member twice. Keys are compared after decoding simple escapes; a key
 * with \u escapes does not match. */
int json_scan_find(const char *data, size_t length, const char *const *path, const char **ret_start,
                   size_t *ret_length, struct error *err);

/* The raw text of a value inside the text that was scanned. */
struct json_span {
    const char *start; /* NULL: there is none */
    size_t length;
};

/* Several members of the top-level object in one go, by a NULL-terminated list of names; as many
 * values come back. ERROR_INVALID when data is not strict JSON, not an object, or names one of them
 * twice. Keys are compared as above. */
int json_scan_members(const char *data, size_t length, const char *const *names,
                      struct json_span *ret_values, struct error *err);

/* The items of the top-level array. ERROR_INVALID when data is not strict JSON or not an array,
 * ERROR_LIMIT when there are more than `most`. */
int json_scan_items(const char *data, size_t length, size_t most, struct json_span *ret_items,
                    size_t *ret_count, struct error *err);
