#include "agent/llm/arguments.h"

#include <string.h>
#include <strings.h>

#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "base/json/writer.h"

enum { SCHEMA_BYTES_MAX = 64 * 1024 }; /* our own tools have some hundred bytes */

/* ---- what a tool takes ---- */

static bool is_string_schema(json_t *property)
{
    const char *type = json_string_value(json_object_get(property, "type"));
    return type && strcmp(type, "string") == 0;
}

static int read_shape(const struct llm_tool *tool, struct tool_shape *shape, struct error *err)
{
    AUTO_JSON json_t *schema = NULL;
    if (json_parse(tool->parameters, strlen(tool->parameters), SCHEMA_BYTES_MAX, &schema, err) < 0)
        return error_add_context(err, "parameters of the tool %.64s", tool->name);
    json_t *properties = json_object_get(schema, "properties");
    json_t *required = json_object_get(schema, "required");

    shape->name = xstrdup(tool->name);
    shape->is_strict = json_is_false(json_object_get(schema, "additionalProperties")) &&
                       json_object_size(properties) == json_array_size(required);
    const char *only = json_string_value(json_array_get(required, 0));
    if (only && json_array_size(required) == 1 && json_object_size(properties) == 1 &&
        is_string_schema(json_object_get(properties, only)))
        shape->text_property = xstrdup(only);
    return 0;
}

int tool_shapes_read(const struct llm_tool *tools, size_t count, struct tool_shapes *ret_shapes,
                     struct error *err)
{
    struct tool_shapes shapes = {.items = xcalloc(count + 1, sizeof *shapes.items), .count = count};
    for (size_t i = 0; i < count; i++) {
        if (read_shape(&tools[i], &shapes.items[i], err) < 0) {
            tool_shapes_clear(&shapes);
            return -1;
        }
    }
    *ret_shapes = shapes;
    return 0;
}

void tool_shapes_clear(struct tool_shapes *shapes)
{
    for (size_t i = 0; i < shapes->count; i++) {
        free(shapes->items[i].name);
        free(shapes->items[i].text_property);
    }
    free(shapes->items);
    *shapes = (struct tool_shapes){0};
}

const struct tool_shape *tool_shapes_find(const struct tool_shapes *shapes, const char *name)
{
    for (size_t i = 0; i < shapes->count; i++) {
        if (strcmp(shapes->items[i].name, name) == 0)
            return &shapes->items[i];
    }
    return NULL;
}

/* ---- repair ---- */

/* A piece of the text. */
struct piece {
    const char *start;
    size_t length;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct piece trim(struct piece piece)
{
    while (piece.length > 0 && is_space(*piece.start)) {
        piece.start++;
        piece.length--;
    }
    while (piece.length > 0 && is_space(piece.start[piece.length - 1]))
        piece.length--;
    return piece;
}

static bool begins_with(struct piece piece, const char *text)
{
    size_t length = strlen(text);
    return piece.length >= length && memcmp(piece.start, text, length) == 0;
}

static bool ends_with(struct piece piece, const char *text)
{
    size_t length = strlen(text);
    return piece.length >= length && memcmp(piece.start + piece.length - length, text, length) == 0;
}

static bool is_object(struct piece piece, struct error *err)
{
    AUTO_JSON json_t *value = NULL;
    return json_parse(piece.start, piece.length, JSON_BYTES_MAX, &value, err) == 0 &&
           json_is_object(value);
}

/* One character inside a string, or one escape; how many bytes it took. */
static size_t copy_in_string(const char *at, const char *end, struct buf *out)
{
    static const char *const raw = "\n\r\t";
    static const char *const escaped[] = {"\\n", "\\r", "\\t"};
    const char *found = *at ? strchr(raw, *at) : NULL;
    if (found) {
        buf_append_text(out, escaped[found - raw]);
        return 1;
    }
    if (*at != '\\' || at + 1 == end) {
        buf_append(out, at, 1);
        return 1;
    }
    /* An escape that JSON does not know can only be meant as it stands: "\d" in a pattern. */
    if (!strchr("\"\\/bfnrtu", at[1])) {
        buf_append_text(out, "\\\\");
        return 1;
    }
    buf_append(out, at, 2);
    return 2;
}

static bool is_comma_too_many(const char *at, const char *end)
{
    if (*at != ',')
        return false;
    do {
        at++;
    } while (at < end && is_space(*at));
    return at < end && (*at == '}' || *at == ']');
}

/* Copies the object with what can be repaired. False when it has not ended: it was cut off. */
static bool copy_repaired(struct piece piece, struct buf *out)
{
    const char *end = piece.start + piece.length;
    bool in_string = false;
    size_t depth = 0;
    for (const char *at = piece.start; at < end;) {
        if (in_string && *at != '"') {
            at += copy_in_string(at, end, out);
            continue;
        }
        if (*at == '"')
            in_string = !in_string;
        else if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && depth > 0)
            depth--;
        if (in_string || !is_comma_too_many(at, end))
            buf_append(out, at, 1);
        at++;
    }
    return !in_string && depth == 0;
}

static int read_object(struct piece piece, struct buf *out, struct error *err)
{
    struct error problem = {0};
    if (is_object(piece, &problem)) {
        buf_append(out, piece.start, piece.length);
        return 0;
    }
    AUTO_BUF struct buf repaired = {0};
    if (!copy_repaired(piece, &repaired))
        return error_set(err, ERROR_INVALID,
                         "The arguments are cut off before their end, so the call was not run. "
                         "Send the whole call again, shorter if need be.");
    if (!is_object((struct piece){repaired.data, repaired.length}, &problem))
        return error_set(err, ERROR_INVALID,
                         "The arguments are not a JSON object (%.200s), so the call was not run. "
                         "Send the call again with valid JSON.",
                         problem.message);
    buf_append(out, repaired.data, repaired.length);
    return 0;
}

static int write_text(const struct tool_shape *shape, struct piece piece, struct buf *out,
                      struct error *err)
{
    if (memchr(piece.start, '\0', piece.length))
        return error_set(err, ERROR_INVALID, "The arguments have a NUL character in them.");
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_text(&writer, shape->text_property, piece.start, piece.length);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

/* Out of ```python ... ``` around the whole; untouched where there is none. */
static struct piece inside_fence(struct piece piece)
{
    static const char fence[] = "```";
    if (!begins_with(piece, fence))
        return piece;
    const char *end = piece.start + piece.length;
    const char *line_end = memchr(piece.start, '\n', piece.length);
    const char *from = piece.start + strlen(fence);
    if (line_end) {
        struct piece language = trim((struct piece){from, (size_t)(line_end - from)});
        if (language.length <= strlen("python3") && !memchr(language.start, ' ', language.length))
            from = line_end + 1; /* the name of a language, or nothing */
    } else if (piece.length > strlen("```python") &&
               strncasecmp(from, "python", strlen("python")) == 0 &&
               is_space(from[strlen("python")])) {
        from += strlen("python");
        while (from < end && is_space(*from))
            from++;
    }
    const char *close = memmem(from, (size_t)(end - from), fence, strlen(fence));
    /* The closing fence stands at the beginning of a line, where there are lines. */
    while (close && line_end && close > from && close[-1] != '\n' && close + strlen(fence) < end)
        close = memmem(close + 1, (size_t)(end - close - 1), fence, strlen(fence));
    if (close)
        end = close;
    while (end > from && is_space(end[-1]))
        end--;
    return (struct piece){from, (size_t)(end - from)};
}

/* A JSON string: an object that was written out twice, or the one text. *ret_is_one tells. */
static int read_string(const struct tool_shape *shape, struct piece piece, struct buf *out,
                       bool *ret_is_one, struct error *err)
{
    /* The parser takes only objects and arrays. */
    AUTO_BUF struct buf wrapped = {0};
    AUTO_JSON json_t *array = NULL;
    struct error ignored;
    buf_append_text(&wrapped, "[");
    buf_append(&wrapped, piece.start, piece.length);
    buf_append_text(&wrapped, "]");
    bool parsed = json_parse(wrapped.data, wrapped.length, JSON_BYTES_MAX, &array, &ignored) == 0;
    json_t *string = parsed && json_array_size(array) == 1 ? json_array_get(array, 0) : NULL;
    *ret_is_one = json_is_string(string);
    if (!*ret_is_one)
        return 0;
    struct piece text = {json_string_value(string), json_string_length(string)};
    struct piece inner = trim(text);
    if (begins_with(inner, "{"))
        return read_object(inner, out, err);
    if (shape && shape->text_property)
        return write_text(shape, text, out, err);
    return error_set(err, ERROR_INVALID, "The arguments must be a JSON object, not a string.");
}

int arguments_read(const struct tool_shape *shape, const char *text, size_t length, struct buf *out,
                   struct error *err)
{
    struct piece piece = trim((struct piece){text, length});
    if (piece.length == 0) { /* of tools without parameters */
        buf_append_text(out, "{}");
        return 0;
    }
    struct piece inner = inside_fence(piece);
    if (begins_with(trim(inner), "{"))
        return read_object(trim(inner), out, err);

    bool is_string = false;
    if (begins_with(piece, "\"")) {
        int result = read_string(shape, piece, out, &is_string, err);
        if (is_string)
            return result;
        if (!begins_with(piece, "\"\"\""))
            return error_set(err, ERROR_INVALID,
                             "The arguments are neither a JSON object nor whole, so the call was "
                             "not run. Send the call again.");
    }
    if (shape && shape->text_property) /* bare code */
        return write_text(shape, inner, out, err);
    return error_set(err, ERROR_INVALID,
                     "The arguments must be a JSON object. Send the call again.");
}

/* ---- text protocols ---- */

/* Out of quotes or back-quotes around the whole, when none of them is inside: then they are not
 * the text's own. */
static struct piece inside_quotes(struct piece piece)
{
    static const char *const quotes[] = {"\"\"\"", "`", "\""};
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        size_t length = strlen(quotes[i]);
        if (piece.length < 2 * length || !begins_with(piece, quotes[i]) ||
            !ends_with(piece, quotes[i]))
            continue;
        struct piece inner = {piece.start + length, piece.length - 2 * length};
        if (!memmem(inner.start, inner.length, quotes[i], length))
            return inner;
    }
    return piece;
}

static bool is_no_input(struct piece piece)
{
    static const char *const words[] = {"", "None", "none", "null", "N/A", "n/a", "()", "\"\""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (piece.length == strlen(words[i]) && begins_with(piece, words[i]))
            return true;
    }
    return false;
}

/* {"code": "..."} though only the text was asked for. */
static bool has_text_property(const struct tool_shape *shape, struct piece piece)
{
    AUTO_JSON json_t *value = NULL;
    struct error ignored;
    return json_parse(piece.start, piece.length, JSON_BYTES_MAX, &value, &ignored) == 0 &&
           json_object_size(value) == 1 &&
           json_is_string(json_object_get(value, shape->text_property));
}

int arguments_read_text(const struct tool_shape *shape, const char *text, size_t length,
                        struct buf *out, struct error *err)
{
    struct piece piece = trim((struct piece){text, length});
    if (!shape || !shape->text_property) {
        if (is_no_input(piece))
            piece.length = 0;
        return arguments_read(shape, piece.start, piece.length, out, err);
    }
    piece = inside_quotes(inside_fence(piece));
    if (begins_with(piece, "{")) {
        AUTO_BUF struct buf repaired = {0};
        if (copy_repaired(piece, &repaired) &&
            has_text_property(shape, (struct piece){repaired.data, repaired.length})) {
            buf_append(out, repaired.data, repaired.length);
            return 0;
        }
    }
    return write_text(shape, piece, out, err);
}
