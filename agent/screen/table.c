#include "agent/screen/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

void table_add_cell(struct table *table, const char *text)
{
    table->cells = xrealloc(table->cells, (table->count + 1) * sizeof *table->cells);
    table->cells[table->count++] = xstrdup(text);
}

/* The first row says how many cells the others have. */
void table_end_row(struct table *table)
{
    if (table->columns == 0)
        table->columns = table->count;
    while (table->columns > 0 && table->count % table->columns != 0)
        table_add_cell(table, "");
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

static void add_many(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_text(out, text);
}

void table_format(const struct table *table, struct buf *out)
{
    size_t columns = table->columns;
    size_t *widths = xcalloc(columns + 1, sizeof *widths);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = characters(table->cells[i]);
        if (width > widths[i % columns])
            widths[i % columns] = width;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % columns;
        bool is_last = column + 1 == columns;
        buf_append_text(out, table->cells[i]);
        if (!is_last)
            add_many(out, " ", widths[column] - characters(table->cells[i]) + 2);
        buf_append_text(out, is_last ? "\n" : "");
        for (size_t k = 0; i + 1 == columns && k < columns; k++) {
            add_many(out, "\u2500", widths[k]);
            buf_append_text(out, k + 1 == columns ? "\n" : "  ");
        }
    }
    free(widths);
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
