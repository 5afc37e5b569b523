#include "base/core/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/core/cleanup.h"

bool text_parse_u64(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == text || *p != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool text_equal_ignoring_case(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

char *text_read_all(int fd, size_t limit_bytes, size_t *ret_length, struct error *err)
{
    enum { STEP = 16 * 1024 };
    AUTO_BUF struct buf buf = {.limit = limit_bytes + STEP};
    for (;;) {
        char *end = buf_reserve(&buf, STEP);
        if (!end) {
            error_set(err, ERROR_LIMIT, "more than %zu bytes", limit_bytes);
            return NULL;
        }
        ssize_t n = read(fd, end, STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_from_errno(err, "read");
            return NULL;
        }
        if (n == 0)
            break;
        buf.length += (size_t)n;
        if (buf.length > limit_bytes) {
            error_set(err, ERROR_LIMIT, "more than %zu bytes", limit_bytes);
            return NULL;
        }
    }
    if (buf.data)
        buf.data[buf.length] = '\0';
    if (ret_length)
        *ret_length = buf.length;
    return buf_take(&buf);
}

/* Length of the well-formed sequence at the start of data, or 0. */
static size_t utf8_sequence(const unsigned char *s, size_t length)
{
    if (length == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;

    size_t need = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                  : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                  : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                 : 0;
    if (need == 0 || length < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool too_high = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || too_high ? 0 : need;
}

bool text_is_utf8(const char *data, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t n = utf8_sequence((const unsigned char *)data + i, length - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool text_append_utf8_lossy(struct buf *out, const char *data, size_t length)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t good = 0; /* start of the well-formed run not yet appended */
    size_t i = 0;
    while (i < length) {
        size_t n = utf8_sequence((const unsigned char *)data + i, length - i);
        if (n > 0) {
            i += n;
            continue;
        }
        if (!buf_append(out, data + good, i - good) ||
            !buf_append(out, replacement, sizeof replacement - 1))
            return false;
        good = ++i;
    }
    return buf_append(out, data + good, i - good);
}

size_t text_first_characters(const char *data, size_t length, int64_t most, int64_t *ret_count)
{
    int64_t count = 0;
    size_t at = 0;
    for (; at < length && count < most; count++) {
        at++;
        while (at < length && (data[at] & 0xC0) == 0x80)
            at++;
    }
    *ret_count = count;
    return at;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_percent_decode(const char *data, size_t length, struct buf *out, struct error *err)
{
    buf_clear(out);
    if (!buf_append(out, "", 0))
        return error_set(err, ERROR_LIMIT, "out of memory");
    for (size_t i = 0; i < length; i++) {
        char c = data[i];
        if (c == '%') {
            int high = i + 1 < length ? hex_value(data[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return error_set(err, ERROR_INVALID, "broken percent escape");
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return error_set(err, ERROR_INVALID, "contains a NUL character");
        if (!buf_append(out, &c, 1))
            return error_set(err, ERROR_LIMIT, "longer than %zu bytes", out->limit);
    }
    if (!text_is_utf8(out->data, out->length))
        return error_set(err, ERROR_INVALID, "is not valid UTF-8");
    return 0;
}

bool text_percent_encode(struct buf *out, const char *data, size_t length, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c)) || (c && keep && strchr(keep, c));
        char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (!(plain ? buf_append(out, &data[i], 1) : buf_append(out, escape, 3)))
            return false;
    }
    return true;
}

void text_format_time(int64_t seconds, int64_t nanoseconds, char ret_text[TEXT_TIME_MAX])
{
    time_t when = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&when, &tm))
        memset(&tm, 0, sizeof tm);
    size_t n = strftime(ret_text, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    if (nanoseconds < 0 || nanoseconds > 999999999)
        nanoseconds = 0;
    snprintf(ret_text + n, TEXT_TIME_MAX - n, ".%07dZ", (int)(nanoseconds / 100));
}

bool text_equal_constant_time(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned char difference = a_length != b_length;
    for (size_t i = 0; i < a_length && i < b_length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}
