#include "base/json/json.h"

#include <string.h>

#include "base/core/buf.h"
#include "base/core/text.h"

enum { KNOWN_TEXT_MAX = 256 };

static const char byte_order_mark[] = "\xEF\xBB\xBF";

/* Jansson's own depth limit is fixed at 2,048 and it has none on the number of values, each of
 * which costs far more memory than its text; so both are looked at before it sees the text. Whether
 * the text is JSON at all is left to Jansson, which can say where it is not. */
static int check_shape(const char *data, size_t length, struct error *err)
{
    size_t depth = 0, values = 1;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = data[i];
        if (in_string) {
            if (c == '\\')
                i++;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            values++;
            if (++depth > JSON_DEPTH_MAX)
                return error_set(err, ERROR_INVALID, "JSON is nested deeper than %d levels",
                                 JSON_DEPTH_MAX);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            values++;
        }
    }
    if (values > JSON_VALUES_MAX)
        return error_set(err, ERROR_LIMIT, "JSON has more than %d values", JSON_VALUES_MAX);
    return 0;
}

/* Jansson's sentence goes on with the sender's own bytes, which stay out of messages and logs, or
 * with a flag of its own. */
static int sentence_length(const char *text)
{
    const char *near = strstr(text, " near ");
    const char *flag = strstr(text, " without ");
    const char *end = flag && (!near || flag < near) ? flag : near;
    return end ? (int)(end - text) : (int)strlen(text);
}

static int parse(const char *data, size_t length, size_t limit_bytes, size_t flags,
                 json_t **ret_value, struct error *err)
{
    if (length > limit_bytes)
        return error_set(err, ERROR_LIMIT, "JSON is longer than %zu bytes", limit_bytes);
    size_t mark = sizeof byte_order_mark - 1;
    if (length >= mark && memcmp(data, byte_order_mark, mark) == 0) {
        data += mark;
        length -= mark;
    }
    if (length == 0)
        return error_set(err, ERROR_INVALID, "JSON is empty");
    /* Jansson takes one behind the value for the end of the text. */
    if (memchr(data, '\0', length))
        return error_set(err, ERROR_INVALID, "JSON has a NUL byte");
    if (check_shape(data, length, err) < 0)
        return -1;

    json_error_t problem;
    json_t *value = json_loadb(data, length, flags | JSON_REJECT_DUPLICATES, &problem);
    if (!value) {
        return error_set(err, ERROR_INVALID, "JSON, line %d, column %d: %.*s", problem.line,
                         problem.column, sentence_length(problem.text), problem.text);
    }
    *ret_value = value;
    return 0;
}

int json_parse(const char *data, size_t length, size_t limit_bytes, json_t **ret_value,
               struct error *err)
{
    return parse(data, length, limit_bytes, 0, ret_value, err);
}

int json_parse_with_nuls(const char *data, size_t length, size_t limit_bytes, json_t **ret_value,
                         struct error *err)
{
    return parse(data, length, limit_bytes, JSON_ALLOW_NUL, ret_value, err);
}

void json_join_path(char ret_path[JSON_PATH_TEXT_MAX], const char *path, const char *key)
{
    snprintf(ret_path, JSON_PATH_TEXT_MAX, "%s%s%s", path, *path ? "." : "", key);
}

/* "path.key: problem" */
static int member_error(struct error *err, const char *path, const char *key, const char *problem)
{
    return error_set(err, ERROR_INVALID, "%s%s%s: %s", path, *path ? "." : "", key, problem);
}

/* NULL where absent or null. */
static json_t *get(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int json_get_text_optional(json_t *object, const char *path, const char *key,
                           const char **ret_value, struct error *err)
{
    json_t *value = get(object, key);
    if (!value)
        return 0;
    if (!json_is_string(value))
        return member_error(err, path, key, "must be a string");
    if (strlen(json_string_value(value)) != json_string_length(value))
        return member_error(err, path, key, "must not contain a NUL character");
    *ret_value = json_string_value(value);
    return 0;
}

int json_get_text(json_t *object, const char *path, const char *key, const char **ret_value,
                  struct error *err)
{
    if (!get(object, key))
        return member_error(err, path, key, "is required and must be a string");
    return json_get_text_optional(object, path, key, ret_value, err);
}

/* An integer, or a string of digits. */
static bool read_integer(json_t *value, int64_t *ret_value)
{
    uint64_t digits;
    if (json_is_integer(value)) {
        *ret_value = json_integer_value(value);
        return true;
    }
    if (!json_is_string(value) || !text_parse_u64(json_string_value(value), &digits) ||
        digits > INT64_MAX)
        return false;
    *ret_value = (int64_t)digits;
    return true;
}

int json_get_integer_optional(json_t *object, const char *path, const char *key, int64_t least,
                              int64_t most, int64_t *ret_value, struct error *err)
{
    json_t *json = get(object, key);
    if (!json)
        return 0;
    int64_t value;
    if (!read_integer(json, &value) || value < least || value > most)
        return error_set(err, ERROR_INVALID, "%s%s%s: must be an integer from %lld to %lld", path,
                         *path ? "." : "", key, (long long)least, (long long)most);
    *ret_value = value;
    return 0;
}

int json_get_integer(json_t *object, const char *path, const char *key, int64_t least, int64_t most,
                     int64_t *ret_value, struct error *err)
{
    if (!get(object, key))
        return error_set(err, ERROR_INVALID,
                         "%s%s%s: is required and must be an integer from %lld to %lld", path,
                         *path ? "." : "", key, (long long)least, (long long)most);
    return json_get_integer_optional(object, path, key, least, most, ret_value, err);
}

int json_get_boolean_optional(json_t *object, const char *path, const char *key, bool *ret_value,
                              struct error *err)
{
    json_t *value = get(object, key);
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return member_error(err, path, key, "must be true or false");
    *ret_value = json_is_true(value);
    return 0;
}

int json_get_object_optional(json_t *object, const char *path, const char *key, json_t **ret_value,
                             struct error *err)
{
    json_t *value = get(object, key);
    if (value && !json_is_object(value))
        return member_error(err, path, key, "must be an object");
    *ret_value = value;
    return 0;
}

int json_get_array_optional(json_t *object, const char *path, const char *key, json_t **ret_value,
                            struct error *err)
{
    json_t *value = get(object, key);
    if (value && !json_is_array(value))
        return member_error(err, path, key, "must be an array");
    *ret_value = value;
    return 0;
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++) {
        if (strcmp(key, *known) == 0)
            return true;
    }
    return false;
}

int json_refuse_unknown(json_t *object, const char *path, const char *const *known,
                        struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (is_known(key, known))
            continue;
        AUTO_BUF struct buf list = {.limit = KNOWN_TEXT_MAX};
        for (size_t i = 0; known[i]; i++)
            buf_printf(&list, "%s%s", i ? ", " : "", known[i]);
        return error_set(err, ERROR_INVALID, "%s%s%.60s: is not a known member; known are %s", path,
                         *path ? "." : "", key, list.length ? list.data : "none");
    }
    return 0;
}

json_t *json_get_any_case(json_t *object, const char *key)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (text_equal_ignoring_case(name, key))
            return value;
    }
    return NULL;
}
