#include "base/json/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(const void *data, size_t length, struct buf *out)
{
    const uint8_t *bytes = data;
    size_t encoded = (length + 2) / 3 * 4;
    char *end = buf_reserve(out, encoded);
    if (!end)
        return false;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        *end++ = alphabet[group >> 18];
        *end++ = alphabet[group >> 12 & 63];
        *end++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *end++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *end = '\0';
    out->length += encoded;
    return true;
}

static int digit_value(char c)
{
    const char *digit = c ? strchr(alphabet, c) : NULL;
    return digit ? (int)(digit - alphabet) : -1;
}

/* One group of four digits, of which the last `padding` were "=". */
static bool append_group(uint32_t group, int padding, struct buf *out)
{
    uint32_t stray = padding == 2 ? group & 0xFFFF : padding == 1 ? group & 0xFF : 0;
    char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
    return stray == 0 && buf_append(out, bytes, (size_t)(3 - padding));
}

bool base64_decode(const char *text, size_t length, struct buf *out)
{
    uint32_t group = 0;
    int digits = 0, padding = 0;
    bool over = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
            continue;
        int value = text[i] == '=' ? 0 : digit_value(text[i]);
        if (text[i] == '=')
            padding++;
        if (over || value < 0 || padding > 2 || (padding > 0 && text[i] != '='))
            return false;
        group = group << 6 | (uint32_t)value;
        if (++digits < 4)
            continue;
        if (!append_group(group, padding, out))
            return false;
        over = padding > 0;
        group = 0;
        digits = 0;
    }
    return digits == 0;
}

static void replace(char *text, size_t length, char from, char to)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == from)
            text[i] = to;
    }
}

bool base64url_encode(const void *data, size_t length, struct buf *out)
{
    size_t start = out->length;
    if (!base64_encode(data, length, out))
        return false;
    while (out->length > start && out->data[out->length - 1] == '=')
        out->data[--out->length] = '\0';
    if (out->data) {
        replace(out->data + start, out->length - start, '+', '-');
        replace(out->data + start, out->length - start, '/', '_');
    }
    return true;
}

bool base64url_decode(const char *text, size_t length, struct buf *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < length; i++) {
        if (!text[i] || !strchr(letters, text[i]))
            return false;
    }
    AUTO_BUF struct buf padded = {0};
    if (!buf_append(&padded, text, length) || !buf_append(&padded, "==", (4 - length % 4) % 4 % 3))
        return false;
    replace(padded.data, padded.length, '-', '+');
    replace(padded.data, padded.length, '_', '/');
    return base64_decode(padded.data, padded.length, out);
}
