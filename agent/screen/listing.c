#include "agent/screen/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/screen/terminal.h"

enum { TIME_TEXT_MAX = 32 };

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static int compare(const void *a, const void *b)
{
    const struct wire_file *left = a;
    const struct wire_file *right = b;
    int order = strcmp(text_of(left->directory), text_of(right->directory));
    return order ? order : strcmp(text_of(left->name), text_of(right->name));
}

static void append_name(struct buf *out, const char *name)
{
    terminal_escape(out, text_of(name), strlen(text_of(name)), TERMINAL_NAME, true);
}

/* The widest size decides the first column. */
static int size_width(const struct wire_file_list *list)
{
    int width = (int)strlen("SIZE");
    for (size_t i = 0; i < list->count; i++) {
        char digits[24];
        int length = snprintf(digits, sizeof digits, "%" PRIu64, list->files[i].size_bytes);
        width = length > width ? length : width;
    }
    return width;
}

static void format_time(int64_t seconds, char ret_text[TIME_TEXT_MAX])
{
    struct tm utc;
    time_t time = (time_t)seconds;
    if (!gmtime_r(&time, &utc) || strftime(ret_text, TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &utc) == 0)
        snprintf(ret_text, TIME_TEXT_MAX, "?");
}

void listing_format(struct wire_file_list *list, struct buf *out)
{
    if (list->count == 0)
        return;
    qsort(list->files, list->count, sizeof *list->files, compare);

    int width = size_width(list);
    buf_printf(out, "%*s  %-19s  NAME\n", width, "SIZE", "MODIFIED (UTC)");
    for (size_t i = 0; i < list->count; i++) {
        const struct wire_file *file = &list->files[i];
        char modified[TIME_TEXT_MAX];
        format_time(file->modified_s, modified);
        buf_printf(out, "%*" PRIu64 "  %-19s  ", width, file->size_bytes, modified);
        if (file->directory && *file->directory) {
            append_name(out, file->directory);
            buf_append_text(out, "/");
        }
        append_name(out, file->name);
        buf_append_text(out, file->is_directory ? "/\n" : "\n");
    }
}
