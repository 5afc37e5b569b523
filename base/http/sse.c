#include "base/http/sse.h"

#include <string.h>

#include "base/core/text.h"

static bool write_line(struct buf *out, const char *field, const char *data, size_t length)
{
    return buf_append_text(out, field) && buf_append_text(out, ": ") &&
           buf_append(out, data, length) && buf_append_text(out, "\n");
}

/* One data line for each line of the data. Readers take CR, LF and CR LF for line ends. */
static bool write_data(struct buf *out, const char *data, size_t length)
{
    const char *end = data + length;
    for (;;) {
        const char *at = data;
        while (at < end && *at != '\n' && *at != '\r')
            at++;
        if (!write_line(out, "data", data, (size_t)(at - data)))
            return false;
        if (at == end)
            return true;
        data = at + (at + 1 < end && at[0] == '\r' && at[1] == '\n' ? 2 : 1);
    }
}

bool sse_write_event(struct buf *out, const char *name, const char *data, size_t length)
{
    size_t start = out->length;
    if (write_line(out, "event", name, strlen(name)) && write_data(out, data, length) &&
        buf_append_text(out, "\n"))
        return true;
    out->length = start;
    if (out->data)
        out->data[start] = '\0';
    return false;
}

bool sse_write_comment(struct buf *out, const char *text)
{
    return buf_printf(out, ": %s\n\n", text);
}

/* Bytes of the character that begins with this byte; 0: none begins so. */
static size_t character_length(unsigned char first)
{
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

size_t sse_cut(const char *data, size_t length)
{
    enum { CONTINUATIONS_MAX = 3 };
    for (size_t back = 1; back <= CONTINUATIONS_MAX && back <= length; back++) {
        unsigned char byte = (unsigned char)data[length - back];
        if ((byte & 0xC0) == 0x80)
            continue;
        return character_length(byte) > back ? length - back : length;
    }
    return length;
}
