#include "sandboxd/resource/pool_patch.h"

#include "base/core/text.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/pool_writer.h"

static const char *own_key(json_t *object, const char *key)
{
    const char *own;
    json_t *value;
    json_object_foreach(object, own, value)
    {
        if (text_equal_ignoring_case(own, key))
            return own;
    }
    return key;
}

/* As RFC 7396, but a member is the same in any case: the service writes coolDownPeriodInSeconds
 * too. Depth is bounded: both come from json_parse. */
static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        const char *place = own_key(into, key);
        json_t *old = json_object_get(into, place);
        if (json_is_null(value)) {
            json_object_del(into, place);
        } else if (json_is_object(value)) {
            if (!json_is_object(old))
                json_object_set_new(into, place, json_object());
            merge(json_object_get(into, place), value);
        } else {
            json_object_set(into, place, value);
        }
    }
}

/* A patch in either form must meet the same form, or it would be one of two answers. */
static enum pool_form form_of(json_t *patch)
{
    json_t *properties = json_object_get(patch, "properties");
    json_t *dynamic = json_object_get(properties, "dynamicPoolConfiguration");
    return json_is_object(json_object_get(dynamic, "lifecycleConfiguration")) ? POOL_FORM_LIFECYCLE
                                                                              : POOL_FORM_TIMED;
}

static int write_document(const struct pool_resource *resource, enum pool_form form,
                          json_t **ret_document, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    struct pool_view view = {.form = form, .with_mcp = true, .id = &resource->id};
    struct writer writer = writer_begin(&text, false);
    pool_write(resource, &view, NULL, &writer);
    if (writer_finish(&writer, err) < 0)
        return -1;
    return json_parse(text.data, text.length, text.length, ret_document, err);
}

int pool_patch(const struct pool_resource *resource, const char *data, size_t length,
               struct pool_resource *ret_resource, struct error *err)
{
    AUTO_JSON json_t *patch = NULL, *document = NULL;
    if (json_parse(data, length, POOL_DOCUMENT_BYTES_MAX, &patch, err) < 0)
        return -1;
    if (!json_is_object(patch))
        return error_set(err, ERROR_INVALID, "the body must be a JSON object");
    if (write_document(resource, form_of(patch), &document, err) < 0)
        return -1;
    merge(document, patch);
    /* Patches may not add up to more than one PUT could say. */
    if (json_dumpb(document, NULL, 0, JSON_COMPACT) > POOL_DOCUMENT_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "the pool would have more than %d bytes of JSON",
                         POOL_DOCUMENT_BYTES_MAX);

    struct pool_resource patched;
    if (pool_read(document, "", &resource->id, &patched, err) < 0)
        return -1;
    patched.created_ms = resource->created_ms;
    patched.modified_ms = resource->modified_ms;
    *ret_resource = patched;
    return 0;
}
