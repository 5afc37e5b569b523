#include "base/json/wire.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/json.h"
#include "base/json/writer.h"

void wire_execution_request_clear(struct wire_execution_request *request)
{
    free(request->code);
    free(request->execution_type);
    free(request->identifier);
    *request = (struct wire_execution_request){.output_streams_max_length = -1};
}

/* The member that holds the program; NULL where there is none. */
static const char *code_member(json_t *members)
{
    static const char *const names[] = {"code", "pythonCode"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *value = json_object_get(members, names[i]);
        if (value && !json_is_null(value))
            return names[i];
    }
    return NULL;
}

/* Both generations accept both forms: clients retry with the other one when theirs is refused
 * (docs/api.md, "Executions"). */
static int find_members(json_t *document, json_t **ret_members, const char **ret_path,
                        const char **ret_target, struct error *err)
{
    json_t *wrapped = json_object_get(document, "properties");
    if (code_member(wrapped)) {
        *ret_members = wrapped;
        *ret_path = "properties";
        return 0;
    }
    if (code_member(document)) {
        *ret_members = document;
        *ret_path = "";
        return 0;
    }
    if (wrapped && !json_is_null(wrapped) && !json_is_object(wrapped)) {
        *ret_target = "properties";
        return error_set(err, ERROR_INVALID, "properties: must be an object");
    }
    *ret_target = "code";
    return error_set(err, ERROR_MISSING, "code: is required and must be a string");
}

static int decode_base64(const char *code, struct wire_execution_request *request,
                         struct error *err)
{
    AUTO_BUF struct buf program = {0};
    if (!base64_decode(code, strlen(code), &program))
        return error_set(err, ERROR_INVALID,
                         "code: is not valid base64, which codeInputType InlineBase64 promises");
    if (program.length > 0 && memchr(program.data, '\0', program.length))
        return error_set(err, ERROR_INVALID, "code: must not contain a NUL character");
    if (!text_is_utf8(program.data, program.length))
        return error_set(err, ERROR_INVALID, "code: base64 of text that is not valid UTF-8");
    request->code_length = program.length;
    request->code = buf_take(&program);
    return 0;
}

static int read_code(json_t *members, const char *path, struct wire_execution_request *request,
                     const char **ret_target, struct error *err)
{
    const char *input_type = "Inline", *code = NULL;
    *ret_target = "codeInputType";
    if (json_get_text_optional(members, path, "codeInputType", &input_type, err) < 0)
        return -1;
    bool is_base64 = text_equal_ignoring_case(input_type, "InlineBase64");
    if (!is_base64 && !text_equal_ignoring_case(input_type, "Inline") &&
        !text_equal_ignoring_case(input_type, "InlineText"))
        return error_set(err, ERROR_INVALID,
                         "codeInputType: must be Inline, InlineText or InlineBase64");

    *ret_target = "code";
    if (json_get_text(members, path, code_member(members), &code, err) < 0)
        return -1;
    if (is_base64 && decode_base64(code, request, err) < 0)
        return -1;
    if (!is_base64) {
        request->code = xstrdup(code);
        request->code_length = strlen(code);
    }
    if (request->code_length == 0)
        return error_set(err, ERROR_MISSING, "code: is empty");
    return 0;
}

static int read_type(json_t *members, const char *path, struct wire_execution_request *request,
                     struct error *err)
{
    const char *type = "Synchronous";
    if (json_get_text_optional(members, path, "executionType", &type, err) < 0)
        return -1;
    request->asynchronous = text_equal_ignoring_case(type, "Asynchronous");
    if (!request->asynchronous && !text_equal_ignoring_case(type, "Synchronous"))
        return error_set(err, ERROR_INVALID, "executionType: must be Synchronous or Asynchronous");
    request->execution_type = xstrdup(type);
    return 0;
}

static int read_members(json_t *members, const char *path, struct wire_execution_request *request,
                        const char **ret_target, struct error *err)
{
    if (read_code(members, path, request, ret_target, err) < 0)
        return -1;

    *ret_target = "executionType";
    if (read_type(members, path, request, err) < 0)
        return -1;

    *ret_target = "identifier";
    const char *identifier = NULL;
    if (json_get_text_optional(members, path, "identifier", &identifier, err) < 0)
        return -1;
    request->identifier = identifier ? xstrdup(identifier) : NULL;

    *ret_target = "timeoutInSeconds";
    if (json_get_integer_optional(members, path, *ret_target, 1, JSON_INTEGER_MAX,
                                  &request->timeout_s, err) < 0)
        return -1;

    *ret_target = "outputStreamsMaxLength";
    if (json_get_integer_optional(members, path, *ret_target, 0, JSON_INTEGER_MAX,
                                  &request->output_streams_max_length, err) < 0)
        return -1;

    *ret_target = NULL;
    return 0;
}

int wire_read_execution_request(const char *data, size_t length,
                                struct wire_execution_request *ret_request, const char **ret_target,
                                struct error *err)
{
    *ret_target = NULL;
    if (length == 0) {
        *ret_target = "code";
        return error_set(err, ERROR_MISSING, "the body is empty; it must be JSON with code");
    }
    AUTO_JSON json_t *document = NULL;
    if (json_parse(data, length, JSON_BYTES_MAX, &document, err) < 0)
        return -1;
    if (!json_is_object(document))
        return error_set(err, ERROR_INVALID, "the body must be a JSON object");

    json_t *members = NULL;
    const char *path = NULL;
    if (find_members(document, &members, &path, ret_target, err) < 0)
        return -1;
    struct wire_execution_request request = {.output_streams_max_length = -1};
    if (read_members(members, path, &request, ret_target, err) < 0) {
        wire_execution_request_clear(&request);
        return -1;
    }
    *ret_request = request;
    return 0;
}

/* The service's samples spell the two generations' words differently; it reads them in any case. */
static const char *type_word(enum wire_generation generation, bool asynchronous)
{
    if (generation == WIRE_GENERATION_1)
        return asynchronous ? "asynchronous" : "synchronous";
    return asynchronous ? "Asynchronous" : "Synchronous";
}

int wire_write_execution_request(enum wire_generation generation,
                                 const struct wire_execution_request *request, struct buf *out,
                                 struct error *err)
{
    if (!text_is_utf8(request->code, request->code_length))
        return error_set(err, ERROR_INVALID, "the code is not valid UTF-8");

    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    if (generation == WIRE_GENERATION_1)
        writer_open_object(&writer, "properties");
    writer_string(&writer, "codeInputType", generation == WIRE_GENERATION_1 ? "inline" : "Inline");
    writer_string(&writer, "executionType",
                  request->execution_type ? request->execution_type
                                          : type_word(generation, request->asynchronous));
    writer_text(&writer, "code", request->code, request->code_length);
    if (request->identifier)
        writer_string(&writer, "identifier", request->identifier);
    if (request->timeout_s > 0)
        writer_integer(&writer, "timeoutInSeconds", request->timeout_s);
    if (request->output_streams_max_length >= 0)
        writer_integer(&writer, "outputStreamsMaxLength", request->output_streams_max_length);
    if (generation == WIRE_GENERATION_1)
        writer_close_object(&writer);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}
