/* value: what the last expression of a program gave, ready to show (docs/api.md, "Result value").
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"

enum value_kind {
    VALUE_NOTHING, /* no expression, or None */
    VALUE_TEXT,    /* a JSON string's text, anything else as the JSON it came as */
    VALUE_IMAGE,   /* a PNG file */
};

struct value {
    enum value_kind kind;
    char *data; /* owned; NUL-terminated for convenience */
    size_t length;
};

/* raw is the JSON text of `result` or `executionResult`; borrowed. ERROR_INVALID: an image that
 * cannot be decoded. Free with value_clear. */
int value_read(const char *raw, size_t length, struct value *ret_value, struct error *err);
void value_clear(struct value *value);
