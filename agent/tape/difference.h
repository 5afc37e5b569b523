/* difference: where two JSON values differ, field by field, for people. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/core/buf.h"

enum { DIFFERENCE_LINES_MAX = 20, DIFFERENCE_VALUE_BYTES_MAX = 160 };

/* Appends a line for each field that differs, as in `messages[2].content: the tape has "4", now it
 * is "5"`, the first DIFFERENCE_LINES_MAX of them. True when nothing differs. NULL is "nothing". */
bool difference_write(json_t *taped, json_t *now, struct buf *out);
