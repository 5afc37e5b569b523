#include "base/json/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"

struct writer writer_begin(struct buf *out, bool with_ids)
{
    return (struct writer){.out = out, .with_ids = with_ids, .start = out->length};
}

int writer_finish(struct writer *writer, struct error *err)
{
    if (!writer->failed)
        return 0;
    struct buf *out = writer->out;
    if (out->data) {
        out->length = writer->start;
        out->data[out->length] = '\0';
    }
    return error_set(err, ERROR_LIMIT, "the JSON text would be longer than %zu bytes", out->limit);
}

static void put(struct writer *writer, const char *data, size_t length)
{
    if (!writer->failed)
        writer->failed = !buf_append(writer->out, data, length);
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* What comes before a value. */
static void begin_value(struct writer *writer, const char *key)
{
    if (writer->needs_comma)
        put_text(writer, ",");
    writer->needs_comma = true;
    if (key) {
        put_text(writer, "\"");
        put_text(writer, key);
        put_text(writer, "\":");
    }
}

/* By hand: a program's output may be escapes from end to end, and all of it is written while every
 * other client waits. */
static void put_escape(struct writer *writer, unsigned char c)
{
    static const char letters[] = "btnvfr"; /* 8 to 13; JSON has no \v */
    static const char hex[] = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t length = sizeof escape;
    if (c == '"' || c == '\\') {
        escape[1] = (char)c;
        length = 2;
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        escape[1] = letters[c - '\b'];
        length = 2;
    }
    put(writer, escape, length);
}

static void put_quoted(struct writer *writer, const char *text, size_t length)
{
    put_text(writer, "\"");
    size_t plain = 0; /* start of the run that needs no escapes */
    for (size_t i = 0; i < length && !writer->failed; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        if (i > plain)
            put(writer, text + plain, i - plain);
        put_escape(writer, c);
        plain = i + 1;
    }
    put(writer, text + plain, length - plain);
    put_text(writer, "\"");
}

void writer_open_object(struct writer *writer, const char *key)
{
    begin_value(writer, key);
    put_text(writer, "{");
    writer->needs_comma = false;
    if (writer->with_ids) {
        char id[16];
        snprintf(id, sizeof id, "%u", ++writer->last_id);
        writer_string(writer, "$id", id);
    }
}

void writer_close_object(struct writer *writer)
{
    put_text(writer, "}");
    writer->needs_comma = true;
}

void writer_open_array(struct writer *writer, const char *key)
{
    begin_value(writer, key);
    put_text(writer, "[");
    writer->needs_comma = false;
}

void writer_close_array(struct writer *writer)
{
    put_text(writer, "]");
    writer->needs_comma = true;
}

void writer_text(struct writer *writer, const char *key, const char *text, size_t length)
{
    begin_value(writer, key);
    if (length == 0 || text_is_utf8(text, length)) {
        put_quoted(writer, length ? text : "", length);
        return;
    }
    AUTO_BUF struct buf mended = {0};
    if (text_append_utf8_lossy(&mended, text, length))
        put_quoted(writer, mended.data, mended.length);
    else
        writer->failed = true;
}

void writer_string(struct writer *writer, const char *key, const char *text)
{
    writer_text(writer, key, text ? text : "", text ? strlen(text) : 0);
}

void writer_integer(struct writer *writer, const char *key, int64_t value)
{
    begin_value(writer, key);
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    put_text(writer, digits);
}

void writer_boolean(struct writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    put_text(writer, value ? "true" : "false");
}

void writer_null(struct writer *writer, const char *key)
{
    begin_value(writer, key);
    put_text(writer, "null");
}

void writer_time(struct writer *writer, const char *key, int64_t us)
{
    char text[TEXT_TIME_MAX];
    text_format_time(us / 1000000, us % 1000000 * 1000, text);
    writer_string(writer, key, text);
}

void writer_raw(struct writer *writer, const char *key, const char *json, size_t length)
{
    begin_value(writer, key);
    put(writer, json, length);
}
