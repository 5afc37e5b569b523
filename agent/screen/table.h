/* table: cells that are collected first and then shown in columns of their width. */
#pragma once

#include <stddef.h>

#include "base/core/buf.h"

/* Zeroed is empty. Free with table_clear. */
struct table {
    char **cells;
    size_t count;
    size_t columns; /* of the first row, which is the head */
};
/* The text, one line that is safe to show, is copied. */
void table_add_cell(struct table *table, const char *text);
/* Short rows are filled up. */
void table_end_row(struct table *table);
void table_format(const struct table *table, struct buf *out);
void table_clear(struct table *table);
