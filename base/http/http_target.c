#include "base/http/http_target.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"

/* A piece of the raw target. */
struct piece {
    const char *start;
    const char *end;
};

/* Cuts off what comes before the first `separator`, or everything. */
static struct piece cut(struct piece *from, char separator)
{
    struct piece piece = *from;
    const char *found = memchr(from->start, separator, (size_t)(from->end - from->start));
    if (found)
        piece.end = found;
    from->start = found ? found + 1 : from->end;
    return piece;
}

static bool starts_with(struct piece piece, const char *prefix)
{
    size_t length = strlen(prefix);
    return (size_t)(piece.end - piece.start) >= length &&
           strncasecmp(piece.start, prefix, length) == 0;
}

/* "http://host:1/path" -> "/path"; a proxy's form, which every server must accept (RFC
 * 9112, 3.2.2). */
static struct piece without_authority(struct piece target)
{
    size_t scheme = starts_with(target, "http://")    ? strlen("http://")
                    : starts_with(target, "https://") ? strlen("https://")
                                                      : 0;
    if (scheme > 0) {
        target.start += scheme;
        while (target.start < target.end && *target.start != '/' && *target.start != '?')
            target.start++;
    }
    return target;
}

/* Decodes a piece to the end of the storage. */
static char *decode(struct piece piece, const char *what, char **end, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    if (text_percent_decode(piece.start, (size_t)(piece.end - piece.start), &text, err) < 0) {
        error_add_context(err, "%s", what);
        return NULL;
    }
    char *copy = *end;
    memcpy(copy, text.data, text.length + 1);
    *end += text.length + 1;
    return copy;
}

static int parse_path(struct piece path, struct http_target *target, char **end, struct error *err)
{
    while (path.start < path.end) {
        struct piece piece = cut(&path, '/');
        if (piece.start == piece.end)
            continue;
        if (target->segment_count == HTTP_TARGET_SEGMENTS_MAX)
            return error_set(err, ERROR_LIMIT, "the path has more than %d segments",
                             HTTP_TARGET_SEGMENTS_MAX);
        char *segment = decode(piece, "the path", end, err);
        if (!segment)
            return -1;
        if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            return error_set(err, ERROR_INVALID, "the path must not have a segment \"%s\"",
                             segment);
        target->segments[target->segment_count++] = segment;
    }
    return 0;
}

static int parse_query(struct piece query, struct http_target *target, char **end,
                       struct error *err)
{
    while (query.start < query.end) {
        struct piece value = cut(&query, '&');
        if (value.start == value.end)
            continue;
        if (target->parameter_count == HTTP_TARGET_PARAMETERS_MAX)
            return error_set(err, ERROR_LIMIT, "the query has more than %d parameters",
                             HTTP_TARGET_PARAMETERS_MAX);
        struct piece name = cut(&value, '=');
        size_t index = target->parameter_count++;
        target->names[index] = decode(name, "the query", end, err);
        target->values[index] = target->names[index] ? decode(value, "the query", end, err) : NULL;
        if (!target->values[index])
            return -1;
    }
    return 0;
}

int http_target_parse(const char *raw, size_t length, struct http_target *ret_target,
                      struct error *err)
{
    struct piece query = without_authority((struct piece){raw, raw + length});
    bool is_absolute = query.start != raw;
    struct piece path = cut(&query, '?');
    if (!is_absolute && (path.start == path.end || *path.start != '/'))
        return error_set(err, ERROR_INVALID, "the request target must begin with \"/\"");

    /* Decoding never lengthens; each piece brings its own NUL. */
    struct http_target target = {
        .storage = xcalloc(length + HTTP_TARGET_SEGMENTS_MAX + 2 * HTTP_TARGET_PARAMETERS_MAX, 1)};
    char *end = target.storage;
    if (parse_path(path, &target, &end, err) < 0 || parse_query(query, &target, &end, err) < 0) {
        http_target_clear(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

void http_target_clear(struct http_target *target)
{
    free(target->storage);
    *target = (struct http_target){0};
}

const char *http_target_parameter(const struct http_target *target, const char *name)
{
    for (size_t i = 0; i < target->parameter_count; i++) {
        if (text_equal_ignoring_case(target->names[i], name))
            return target->values[i];
    }
    return NULL;
}

size_t http_target_parameter_count(const struct http_target *target, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < target->parameter_count; i++)
        count += text_equal_ignoring_case(target->names[i], name);
    return count;
}
