#include "agent/tape/difference.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"

struct comparison {
    struct buf *out;
    unsigned differences;
};

/* Long texts are shown from a little before the place where they part. */
static void append_value(struct buf *out, json_t *value, size_t from)
{
    if (!value) {
        buf_append_text(out, "nothing");
        return;
    }
    AUTO_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    size_t length = text ? strlen(text) : 0;
    from = from < length ? from : 0;
    while (from > 0 && ((unsigned char)text[from] & 0xc0) == 0x80)
        from--;
    size_t end =
        length - from > DIFFERENCE_VALUE_BYTES_MAX ? from + DIFFERENCE_VALUE_BYTES_MAX : length;
    while (end < length && ((unsigned char)text[end] & 0xc0) == 0x80)
        end++;
    buf_printf(out, "%s%.*s%s", from > 0 ? "..." : "", (int)(end - from), text ? text + from : "",
               end < length ? "..." : "");
}

static size_t where_they_part(json_t *taped, json_t *now)
{
    enum { BEFORE = 40 };
    if (!json_is_string(taped) || !json_is_string(now))
        return 0;
    AUTO_FREE char *a = json_dumps(taped, JSON_ENCODE_ANY);
    AUTO_FREE char *b = json_dumps(now, JSON_ENCODE_ANY);
    size_t same = 0;
    while (a && b && a[same] && a[same] == b[same])
        same++;
    return same > BEFORE * 2 ? same - BEFORE : 0;
}

static void differ(struct comparison *comparison, const char *path, json_t *taped, json_t *now)
{
    if (++comparison->differences > DIFFERENCE_LINES_MAX)
        return;
    size_t from = where_they_part(taped, now);
    buf_printf(comparison->out, "%s: the tape has ", path[0] ? path : "the whole");
    append_value(comparison->out, taped, from);
    buf_append_text(comparison->out, ", now it is ");
    append_value(comparison->out, now, from);
    buf_append_text(comparison->out, "\n");
}

static void compare(struct comparison *comparison, const char *path, json_t *taped, json_t *now);

static void compare_members(struct comparison *comparison, const char *path, json_t *taped,
                            json_t *now)
{
    const char *key;
    json_t *value;
    char member[JSON_PATH_TEXT_MAX];
    json_object_foreach(taped, key, value)
    {
        json_join_path(member, path, key);
        compare(comparison, member, value, json_object_get(now, key));
    }
    json_object_foreach(now, key, value)
    {
        json_join_path(member, path, key);
        if (!json_object_get(taped, key))
            differ(comparison, member, NULL, value);
    }
}

static void compare_items(struct comparison *comparison, const char *path, json_t *taped,
                          json_t *now)
{
    size_t count = json_array_size(taped), other = json_array_size(now);
    for (size_t i = 0; i < count || i < other; i++) {
        char item[JSON_PATH_TEXT_MAX + 32];
        snprintf(item, sizeof item, "%s[%zu]", path, i);
        item[JSON_PATH_TEXT_MAX - 1] = '\0';
        compare(comparison, item, json_array_get(taped, i), json_array_get(now, i));
    }
}

/* Depth is bounded: both were parsed, or made by us. */
static void compare(struct comparison *comparison, const char *path, json_t *taped, json_t *now)
{
    if (json_is_object(taped) && json_is_object(now))
        compare_members(comparison, path, taped, now);
    else if (json_is_array(taped) && json_is_array(now))
        compare_items(comparison, path, taped, now);
    else if (taped != now && !(taped && now && json_equal(taped, now)))
        differ(comparison, path, taped, now);
}

bool difference_write(json_t *taped, json_t *now, struct buf *out)
{
    struct comparison comparison = {.out = out};
    compare(&comparison, "", taped, now);
    if (comparison.differences > DIFFERENCE_LINES_MAX)
        buf_printf(out, "and %u more\n", comparison.differences - DIFFERENCE_LINES_MAX);
    return comparison.differences == 0;
}
