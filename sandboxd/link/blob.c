#include "sandboxd/link/blob.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"

static const char version_line[] = "session-2";

enum { BLOB_LINES = 7 };

size_t blob_write(const struct blob *blob, char ret_data[SESSION_BLOB_MAX])
{
    const struct session_record *record = &blob->record;
    int length = snprintf(ret_data, SESSION_BLOB_MAX,
                          "%s\n%s\n%s\n%" PRIu64 "\n%" PRId64 "\n%" PRId64 "\n%s\n", version_line,
                          blob->pool, blob->guid, record->order, record->created_at_ms,
                          record->used_at_ms, blob->identifier);
    return (size_t)length;
}

static int copy_line(const char *line, char *ret_text, size_t capacity)
{
    size_t length = strlen(line);
    if (length >= capacity)
        return -1;
    memcpy(ret_text, line, length + 1);
    return 0;
}

/* Monotonic times are not negative. */
static bool read_time(const char *line, int64_t *ret_ms)
{
    uint64_t ms;
    if (!text_parse_u64(line, &ms) || ms > INT64_MAX)
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

int blob_read(const void *data, size_t length, struct blob *ret_blob, struct error *err)
{
    char text[SESSION_BLOB_MAX + 1];
    if (length > SESSION_BLOB_MAX || memchr(data, '\0', length))
        return error_set(err, ERROR_INVALID, "malformed session blob");
    memcpy(text, data, length);
    text[length] = '\0';

    char *lines[BLOB_LINES];
    char *start = text;
    for (int i = 0; i < BLOB_LINES; i++) {
        char *end = strchr(start, '\n');
        if (!end)
            return error_set(err, ERROR_INVALID, "malformed session blob");
        *end = '\0';
        lines[i] = start;
        start = end + 1;
    }

    struct blob blob = {0};
    const char *identifier = lines[BLOB_LINES - 1];
    size_t identifier_length = strlen(identifier);
    if (*start || strcmp(lines[0], version_line) != 0 ||
        copy_line(lines[1], blob.pool, sizeof blob.pool) < 0 ||
        copy_line(lines[2], blob.guid, sizeof blob.guid) < 0 ||
        !text_parse_u64(lines[3], &blob.record.order) ||
        !read_time(lines[4], &blob.record.created_at_ms) ||
        !read_time(lines[5], &blob.record.used_at_ms) ||
        copy_line(identifier, blob.identifier, sizeof blob.identifier) < 0 ||
        (identifier_length > 0 && !identifier_is_valid(identifier, identifier_length)))
        return error_set(err, ERROR_INVALID, "malformed session blob");
    *ret_blob = blob;
    return 0;
}
