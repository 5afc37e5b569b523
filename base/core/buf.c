#include "base/core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

enum { BUF_CAPACITY_MIN = 256 };

char *buf_reserve(struct buf *buf, size_t length)
{
    size_t needed = buf->length + length + 1;
    if (needed < length || (buf->limit && buf->length + length > buf->limit))
        return NULL;

    if (needed > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity : BUF_CAPACITY_MIN;
        while (capacity < needed)
            capacity *= 2;
        char *data = realloc(buf->data, capacity);
        if (!data)
            return NULL;
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->length;
}

bool buf_append(struct buf *buf, const void *data, size_t length)
{
    char *end = buf_reserve(buf, length);
    if (!end)
        return false;
    if (length)
        memcpy(end, data, length);
    end[length] = '\0';
    buf->length += length;
    return true;
}

bool buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);

    char *end = length < 0 ? NULL : buf_reserve(buf, (size_t)length);
    if (end) {
        vsnprintf(end, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
    return end != NULL;
}

void buf_consume(struct buf *buf, size_t length)
{
    if (length >= buf->length) {
        buf_clear(buf);
        return;
    }
    memmove(buf->data, buf->data + length, buf->length - length + 1);
    buf->length -= length;
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->length = buf->capacity = 0;
}

char *buf_take(struct buf *buf)
{
    char *data = buf->data ? buf->data : xstrdup("");
    buf->data = NULL;
    buf->length = buf->capacity = 0;
    return data;
}
