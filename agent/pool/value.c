#include "agent/pool/value.h"

#include <string.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/json/base64.h"
#include "base/json/json.h"

/* A value of 10 MiB whose characters JSON escapes with six bytes each, and the brackets put around
 * it. */
enum { VALUE_BYTES_MAX = 64 * 1024 * 1024 };

/* Jansson meets the value inside an array: a lone string is no document to it. NULL where it cannot
 * hold the value (an integer beyond 64 bits): the value is then no string and no image. */
static json_t *parse(const char *raw, size_t length)
{
    AUTO_BUF struct buf text = {.limit = VALUE_BYTES_MAX};
    json_t *array = NULL;
    if (!buf_append_text(&text, "[") || !buf_append(&text, raw, length) ||
        !buf_append_text(&text, "]"))
        return NULL;
    if (json_parse_with_nuls(text.data, text.length, VALUE_BYTES_MAX, &array, NULL) < 0)
        return NULL;
    json_t *value = json_array_size(array) == 1 ? json_incref(json_array_get(array, 0)) : NULL;
    json_decref(array);
    return value;
}

static bool has_text(json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && strcmp(value, text) == 0;
}

static void set(struct value *value, enum value_kind kind, const char *data, size_t length)
{
    value->kind = kind;
    value->data = xcalloc(1, length + 1); /* not text: NULs may be inside */
    memcpy(value->data, data, length);
    value->length = length;
}

static int read_image(json_t *image, struct value *ret_value, struct error *err)
{
    json_t *data = json_object_get(image, "base64_data");
    AUTO_BUF struct buf png = {0};
    if (!base64_decode(json_string_value(data), json_string_length(data), &png) || png.length == 0)
        return error_set(err, ERROR_INVALID, "the image in the result is not valid base64");
    ret_value->kind = VALUE_IMAGE;
    ret_value->length = png.length;
    ret_value->data = buf_take(&png);
    return 0;
}

int value_read(const char *raw, size_t length, struct value *ret_value, struct error *err)
{
    *ret_value = (struct value){0};
    if (!raw || length == 0)
        return 0;
    AUTO_JSON json_t *json = parse(raw, length);
    if (json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0))
        return 0;
    if (json_is_string(json)) {
        set(ret_value, VALUE_TEXT, json_string_value(json), json_string_length(json));
        return 0;
    }
    if (has_text(json, "type", "image") && has_text(json, "format", "png") &&
        json_is_string(json_object_get(json, "base64_data")))
        return read_image(json, ret_value, err);

    set(ret_value, VALUE_TEXT, raw, length);
    return 0;
}

void value_clear(struct value *value)
{
    free(value->data);
    *value = (struct value){0};
}
