#include "base/http/sse_reader.h"

#include <string.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";

void sse_reader_begin(struct sse_reader *reader, size_t event_bytes_max,
                      const struct sse_reader_handler *handler)
{
    *reader = (struct sse_reader){.handler = *handler};
    reader->line.limit = event_bytes_max;
    reader->data.limit = event_bytes_max;
}

void sse_reader_clear(struct sse_reader *reader)
{
    buf_free(&reader->line);
    buf_free(&reader->data);
}

static int refuse_length(const struct sse_reader *reader, struct error *err)
{
    return error_set(err, ERROR_LIMIT, "an event of the stream is longer than %zu bytes",
                     reader->data.limit);
}

/* An empty line ends an event. One without data is none. */
static int dispatch(struct sse_reader *reader, struct error *err)
{
    int result = 0;
    if (reader->has_data)
        result = reader->handler.on_event(reader->handler.self, reader->name,
                                          reader->data.data ? reader->data.data : "",
                                          reader->data.length, err);
    buf_clear(&reader->data);
    reader->has_data = false;
    reader->name[0] = '\0';
    return result;
}

static void take_name(struct sse_reader *reader, const char *value, size_t length)
{
    if (length > SSE_NAME_BYTES_MAX)
        length = SSE_NAME_BYTES_MAX;
    memcpy(reader->name, value, length);
    reader->name[length] = '\0';
}

static bool take_data(struct sse_reader *reader, const char *value, size_t length)
{
    if (reader->has_data && !buf_append(&reader->data, "\n", 1))
        return false;
    reader->has_data = true;
    return length == 0 || buf_append(&reader->data, value, length);
}

static bool is_field(const char *line, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(line, name, length) == 0;
}

static int take_line(struct sse_reader *reader, const char *line, size_t length, struct error *err)
{
    size_t mark = sizeof byte_order_mark - 1;
    if (!reader->started && length >= mark && memcmp(line, byte_order_mark, mark) == 0) {
        line += mark;
        length -= mark;
    }
    reader->started = true;
    if (length == 0)
        return dispatch(reader, err);

    const char *colon = memchr(line, ':', length);
    size_t name_length = colon ? (size_t)(colon - line) : length;
    const char *value = colon ? colon + 1 : line + length;
    size_t value_length = (size_t)(line + length - value);
    if (value_length > 0 && *value == ' ') {
        value++;
        value_length--;
    }
    if (is_field(line, name_length, "event"))
        take_name(reader, value, value_length);
    else if (is_field(line, name_length, "data") && !take_data(reader, value, value_length))
        return refuse_length(reader, err);
    return 0;
}

/* The rest of a line, of which a beginning may have come before. */
static int end_line(struct sse_reader *reader, const char *data, size_t length, struct error *err)
{
    if (reader->line.length == 0)
        return take_line(reader, data, length, err);
    if (length > 0 && !buf_append(&reader->line, data, length))
        return refuse_length(reader, err);
    int result = take_line(reader, reader->line.data, reader->line.length, err);
    buf_clear(&reader->line);
    return result;
}

static const char *find_line_end(const char *data, const char *end)
{
    while (data < end && *data != '\n' && *data != '\r')
        data++;
    return data;
}

int sse_reader_feed(struct sse_reader *reader, const char *data, size_t length, struct error *err)
{
    const char *end = data + length;
    while (data < end) {
        if (reader->skip_line_feed && *data == '\n')
            data++;
        reader->skip_line_feed = false;

        const char *line_end = find_line_end(data, end);
        size_t piece = (size_t)(line_end - data);
        if (line_end == end) {
            bool fits = piece == 0 || buf_append(&reader->line, data, piece);
            return fits ? 0 : refuse_length(reader, err);
        }
        if (piece > reader->line.limit)
            return refuse_length(reader, err);
        if (end_line(reader, data, piece, err) < 0)
            return -1;
        reader->skip_line_feed = *line_end == '\r';
        data = line_end + 1;
    }
    return 0;
}

int sse_reader_finish(struct sse_reader *reader, struct error *err)
{
    if (reader->line.length > 0 && end_line(reader, "", 0, err) < 0)
        return -1;
    return dispatch(reader, err);
}
