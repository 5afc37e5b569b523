/* parameters: what follows the ";" in a header's value: `form-data; name=file; filename="a b"`.
 *
 * For the headers of multipart bodies. Bounded by the header's own length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"
#include "base/core/error.h"

struct parameters {
    const char *at;
    const char *end;
};

struct parameter {
    struct buf name;  /* in lower case */
    struct buf value; /* quotes and backslash escapes undone */
    bool was_quoted;
};
void parameter_free(struct parameter *parameter);

/* Splits off what comes before the first ";"; *ret_value is trimmed and points into `value`. */
struct parameters parameters_begin(const char *value, size_t length, const char **ret_value,
                                   size_t *ret_length);

/* Reads the next one into *parameter, which is emptied first. *ret_found is false at the end.
 * ERROR_INVALID when it is malformed. */
int parameters_next(struct parameters *parameters, struct parameter *parameter, bool *ret_found,
                    struct error *err);
