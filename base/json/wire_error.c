#include "base/json/wire.h"

#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "base/json/writer.h"

/* Error bodies are a few hundred bytes; whoever answers may not be the service at all. */
enum { WIRE_ERROR_BYTES_MAX = 64 * 1024 };

void wire_error_clear(struct wire_error *error)
{
    free(error->code);
    free(error->message);
    free(error->target);
    free(error->trace_id);
    *error = (struct wire_error){0};
}

int wire_write_error(const struct wire_error *error, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_open_object(&writer, "error");
    writer_string(&writer, "code", error->code);
    writer_string(&writer, "message", error->message);
    if (error->target)
        writer_string(&writer, "target", error->target);
    if (error->trace_id)
        writer_string(&writer, "traceId", error->trace_id);
    writer_close_object(&writer);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

int wire_read_error(const char *data, size_t length, struct wire_error *ret_error,
                    struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    json_t *error = NULL;
    if (json_parse(data, length, WIRE_ERROR_BYTES_MAX, &document, err) < 0 ||
        json_get_object_optional(document, "", "error", &error, err) < 0)
        return -1;

    const char *code = NULL, *message = NULL, *target = NULL, *trace_id = NULL;
    if (json_get_text(error, "error", "code", &code, err) < 0 ||
        json_get_text(error, "error", "message", &message, err) < 0 ||
        json_get_text_optional(error, "error", "target", &target, err) < 0 ||
        json_get_text_optional(error, "error", "traceId", &trace_id, err) < 0)
        return -1;

    *ret_error = (struct wire_error){.code = copy(code),
                                     .message = copy(message),
                                     .target = copy(target),
                                     .trace_id = copy(trace_id)};
    return 0;
}
