#include "base/json/scan.h"

#include <string.h>

#include "base/core/text.h"

/* Where a scan is, and the bracket that closes each container it is inside of. */
struct cursor {
    const char *at;
    const char *end;
    char closers[JSON_DEPTH_MAX];
    size_t depth;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char expected)
{
    if (c->at == c->end || *c->at != expected)
        return false;
    c->at++;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

static bool take_digits(struct cursor *c)
{
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > start;
}

static bool take_number(struct cursor *c)
{
    take(c, '-');
    if (!take(c, '0') && !take_digits(c))
        return false;
    if (take(c, '.') && !take_digits(c))
        return false;
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+'))
            take(c, '-');
        return take_digits(c);
    }
    return true;
}

static bool take_hex(struct cursor *c, unsigned *ret_unit)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = c->at < c->end && *c->at ? strchr(digits, *c->at) : NULL;
        if (!digit)
            return false;
        unsigned value = (unsigned)(digit - digits);
        unit = unit * 16 + (value < 16 ? value : value - 6);
    }
    *ret_unit = unit;
    return true;
}

/* After "\u". A surrogate without its other half is no character; many parsers refuse it. */
static bool take_unicode_escape(struct cursor *c)
{
    unsigned unit, low;
    if (!take_hex(c, &unit) || (unit >= 0xDC00 && unit <= 0xDFFF))
        return false;
    if (unit < 0xD800 || unit > 0xDBFF)
        return true;
    return take_word(c, "\\u") && take_hex(c, &low) && low >= 0xDC00 && low <= 0xDFFF;
}

static bool take_string(struct cursor *c)
{
    if (!take(c, '"'))
        return false;
    while (c->at < c->end) {
        unsigned char byte = (unsigned char)*c->at++;
        if (byte == '"')
            return true;
        if (byte < 0x20)
            return false;
        if (byte != '\\')
            continue;
        if (c->at == c->end)
            return false;
        char escape = *c->at++;
        if (escape == 'u' ? !take_unicode_escape(c) : !escape || !strchr("\"\\/bfnrt", escape))
            return false;
    }
    return false;
}

static bool take_key(struct cursor *c)
{
    skip_space(c);
    if (!take_string(c))
        return false;
    skip_space(c);
    return take(c, ':');
}

static bool take_scalar(struct cursor *c)
{
    switch (*c->at) {
    case '"':
        return take_string(c);
    case 't':
        return take_word(c, "true");
    case 'f':
        return take_word(c, "false");
    case 'n':
        return take_word(c, "null");
    default:
        return take_number(c);
    }
}

/* At a bracket. *ret_empty says that it was closed again at once. */
static bool open_container(struct cursor *c, bool *ret_empty)
{
    if (c->depth == JSON_DEPTH_MAX)
        return false;
    char closer = *c->at++ == '{' ? '}' : ']';
    skip_space(c);
    *ret_empty = take(c, closer);
    if (*ret_empty)
        return true;
    c->closers[c->depth++] = closer;
    return closer == ']' || take_key(c);
}

/* After a value: leaves what ends here. *ret_more says that another value follows. */
static bool close_containers(struct cursor *c, bool *ret_more)
{
    *ret_more = false;
    while (c->depth > 0) {
        char closer = c->closers[c->depth - 1];
        skip_space(c);
        if (take(c, closer)) {
            c->depth--;
            continue;
        }
        *ret_more = true;
        return take(c, ',') && (closer == ']' || take_key(c));
    }
    return true;
}

static bool take_value(struct cursor *c)
{
    bool more = true;
    while (more) {
        skip_space(c);
        if (c->at == c->end)
            return false;
        if (*c->at == '{' || *c->at == '[') {
            bool empty;
            if (!open_container(c, &empty))
                return false;
            if (!empty)
                continue;
        } else if (!take_scalar(c)) {
            return false;
        }
        if (!close_containers(c, &more))
            return false;
    }
    return true;
}

bool json_scan_is_strict(const char *data, size_t length)
{
    if (length == 0 || !text_is_utf8(data, length))
        return false;
    struct cursor c = {.at = data, .end = data + length};
    if (!take_value(&c))
        return false;
    skip_space(&c);
    return c.at == c.end;
}

/* Compares the text between a key's quotes with a name. */
static bool key_is(const char *at, const char *end, const char *name)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    for (; at < end; at++, name++) {
        char byte = *at;
        if (byte == '\\') {
            const char *escape = strchr(escapes, *++at);
            if (!escape)
                return false;
            byte = meanings[escape - escapes];
        }
        if (byte != *name)
            return false;
    }
    return *name == '\0';
}

/* In strict JSON, at a value. */
static struct json_span span_value(struct cursor *c)
{
    skip_space(c);
    const char *start = c->at;
    take_value(c);
    return (struct json_span){.start = start, .length = (size_t)(c->at - start)};
}

static int keep_member(const char *key, const char *key_end, struct json_span value,
                       const char *const *names, struct json_span *values, struct error *err)
{
    for (size_t i = 0; names[i]; i++) {
        if (!key_is(key, key_end, names[i]))
            continue;
        if (values[i].start)
            return error_set(err, ERROR_INVALID, "%s: appears twice", names[i]);
        values[i] = value;
    }
    return 0;
}

/* In strict JSON; there are no members in anything but an object. */
static int find_members(struct cursor *c, const char *const *names, struct json_span *values,
                        struct error *err)
{
    skip_space(c);
    bool more = take(c, '{');
    while (more) {
        skip_space(c);
        const char *key = c->at;
        if (!take_string(c))
            break; /* an empty object */
        const char *key_end = c->at - 1;
        skip_space(c);
        take(c, ':');
        if (keep_member(key + 1, key_end, span_value(c), names, values, err) < 0)
            return -1;
        skip_space(c);
        more = take(c, ',');
    }
    return 0;
}

/* With c at an object: its member's value becomes what c spans. */
static int enter_member(struct cursor *c, const char *name, struct error *err)
{
    struct json_span value = {0};
    if (find_members(c, (const char *const[]){name, NULL}, &value, err) < 0)
        return -1;
    if (!value.start)
        return error_set(err, ERROR_MISSING, "%s: is missing", name);
    *c = (struct cursor){.at = value.start, .end = value.start + value.length};
    return 0;
}

int json_scan_find(const char *data, size_t length, const char *const *path, const char **ret_start,
                   size_t *ret_length, struct error *err)
{
    if (!json_scan_is_strict(data, length))
        return error_set(err, ERROR_INVALID, "is not valid JSON");
    struct cursor c = {.at = data, .end = data + length};
    for (; *path; path++) {
        if (enter_member(&c, *path, err) < 0)
            return -1;
    }
    *ret_start = c.at;
    *ret_length = (size_t)(c.end - c.at);
    return 0;
}

/* With c behind the white space in front of a value that begins with this. */
static int open_strict(const char *data, size_t length, char bracket, struct cursor *ret_cursor,
                       struct error *err)
{
    if (!json_scan_is_strict(data, length))
        return error_set(err, ERROR_INVALID, "is not valid JSON");
    struct cursor c = {.at = data, .end = data + length};
    skip_space(&c);
    if (*c.at != bracket)
        return error_set(err, ERROR_INVALID, "must be an %s", bracket == '{' ? "object" : "array");
    *ret_cursor = c;
    return 0;
}

int json_scan_members(const char *data, size_t length, const char *const *names,
                      struct json_span *ret_values, struct error *err)
{
    struct cursor c = {0};
    if (open_strict(data, length, '{', &c, err) < 0)
        return -1;
    for (size_t i = 0; names[i]; i++)
        ret_values[i] = (struct json_span){0};
    return find_members(&c, names, ret_values, err);
}

int json_scan_items(const char *data, size_t length, size_t most, struct json_span *ret_items,
                    size_t *ret_count, struct error *err)
{
    struct cursor c = {0};
    size_t count = 0;
    if (open_strict(data, length, '[', &c, err) < 0)
        return -1;
    take(&c, '[');
    skip_space(&c);
    bool more = !take(&c, ']');
    while (more) {
        if (count == most)
            return error_set(err, ERROR_LIMIT, "must hold at most %zu items", most);
        ret_items[count++] = span_value(&c);
        skip_space(&c);
        more = take(&c, ',');
    }
    *ret_count = count;
    return 0;
}
