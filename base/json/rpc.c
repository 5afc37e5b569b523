#include "base/json/rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json/json.h"

static void break_message(struct rpc_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void break_message(struct rpc_message *message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message->problem, sizeof message->problem, format, args);
    va_end(args);
    message->kind = RPC_BROKEN;
}

static bool span_is(struct json_span span, const char *text)
{
    return span.start && span.length == strlen(text) && memcmp(span.start, text, span.length) == 0;
}

/* A string, or a number without fraction and exponent. */
static bool is_id(struct json_span value)
{
    if (value.length > RPC_ID_BYTES_MAX)
        return false;
    if (*value.start == '"')
        return true;
    size_t at = *value.start == '-';
    size_t digits = at;
    while (digits < value.length && value.start[digits] >= '0' && value.start[digits] <= '9')
        digits++;
    return digits == value.length && digits > at;
}

/* Some encoders write "tools\/list". */
static bool read_method(struct json_span value, char ret_method[RPC_METHOD_BYTES_MAX + 1])
{
    char text[RPC_METHOD_BYTES_MAX + 3];
    AUTO_JSON json_t *list = NULL;
    ret_method[0] = '\0';
    if (*value.start != '"')
        return false;
    if (value.length > RPC_METHOD_BYTES_MAX)
        return true;
    int n = snprintf(text, sizeof text, "[%.*s]", (int)value.length, value.start);
    if (json_parse(text, (size_t)n, sizeof text, &list, NULL) == 0)
        snprintf(ret_method, RPC_METHOD_BYTES_MAX + 1, "%s",
                 json_string_value(json_array_get(list, 0)));
    return true;
}

static void read_message(struct json_span text, struct rpc_message *message)
{
    enum { VERSION, ID, METHOD, PARAMS, RESULT, ERROR };
    static const char *const names[] = {"jsonrpc", "id",    "method", "params",
                                        "result",  "error", NULL};
    struct json_span values[sizeof names / sizeof *names - 1];
    struct error err = {0};
    *message = (struct rpc_message){.kind = RPC_REQUEST};
    if (json_scan_members(text.start, text.length, names, values, &err) < 0) {
        break_message(message, "a message: %.100s", err.message);
        return;
    }
    struct json_span id = values[ID];
    if (id.start && is_id(id))
        message->id = id;
    if (!span_is(values[VERSION], "\"2.0\""))
        break_message(message, "jsonrpc: must be \"2.0\"");
    else if (id.start && !message->id.start && !(span_is(id, "null") && values[ERROR].start))
        break_message(message, "id: must be a string or an integer of at most %d bytes",
                      RPC_ID_BYTES_MAX);
    else if (!values[METHOD].start && (values[RESULT].start || values[ERROR].start))
        message->kind = RPC_RESPONSE;
    else if (!values[METHOD].start || !read_method(values[METHOD], message->method))
        break_message(message, "method: must be a string");
    else if (values[PARAMS].start && !strchr("{[n", *values[PARAMS].start))
        break_message(message, "params: must be an object or an array");
    else if (!id.start)
        message->kind = RPC_NOTIFICATION;
    if (values[PARAMS].start && !span_is(values[PARAMS], "null"))
        message->params = values[PARAMS];
}

static int read_batch(const char *data, size_t length, struct rpc_text *text, int *ret_code,
                      struct error *err)
{
    struct json_span items[RPC_BATCH_MAX];
    *ret_code = RPC_INVALID_REQUEST;
    if (json_scan_items(data, length, RPC_BATCH_MAX, items, &text->count, err) < 0)
        return error_add_context(err, "a batch");
    if (text->count == 0)
        return error_set(err, ERROR_INVALID, "a batch must hold a message");
    text->is_batch = true;
    for (size_t i = 0; i < text->count; i++)
        read_message(items[i], &text->messages[i]);
    return 0;
}

int rpc_read(const char *data, size_t length, struct rpc_text *ret_text, int *ret_code,
             struct error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (length >= 3 && memcmp(data, mark, 3) == 0) {
        data += 3;
        length -= 3;
    }
    *ret_code = RPC_PARSE_ERROR;
    if (!json_scan_is_strict(data, length))
        return error_set(err, ERROR_INVALID,
                         "the body is not JSON (RFC 8259, UTF-8, at most %d levels deep)",
                         JSON_DEPTH_MAX);
    size_t at = strspn(data, " \t\r\n");
    ret_text->is_batch = false;
    if (data[at] == '[')
        return read_batch(data, length, ret_text, ret_code, err);
    ret_text->count = 1;
    read_message((struct json_span){.start = data, .length = length}, &ret_text->messages[0]);
    return 0;
}

struct writer rpc_begin_answer(const struct rpc_message *message, struct buf *out)
{
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "jsonrpc", "2.0");
    if (message && message->id.start)
        writer_raw(&writer, "id", message->id.start, message->id.length);
    else
        writer_null(&writer, "id");
    return writer;
}

int rpc_finish_answer(struct writer *writer, struct error *err)
{
    writer_close_object(writer);
    return writer_finish(writer, err);
}

void rpc_write_error(const struct rpc_message *message, int code, const char *text, struct buf *out)
{
    struct writer writer = rpc_begin_answer(message, out);
    writer_open_object(&writer, "error");
    writer_integer(&writer, "code", code);
    writer_string(&writer, "message", text);
    writer_close_object(&writer);
    rpc_finish_answer(&writer, NULL);
}
