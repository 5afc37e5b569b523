#include "base/json/wire.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "base/json/wire_refusal.h"
#include "base/json/writer.h"

/* Before generation 2 an answer comes only when it is over: their first two words are never
 * written. */
static const struct {
    enum wire_status status;
    const char *earlier;
    const char *generation_2;
} statuses[] = {
    {WIRE_STATUS_NOT_STARTED, "NotStarted", "NotStarted"},
    {WIRE_STATUS_RUNNING, "Running", "Running"},
    {WIRE_STATUS_SUCCEEDED, "Success", "Succeeded"},
    {WIRE_STATUS_FAILED, "Failure", "Failed"},
    {WIRE_STATUS_CANCELED, "Failure", "Canceled"},
};

void wire_execution_clear(struct wire_execution *execution)
{
    free(execution->id);
    free(execution->identifier);
    free(execution->execution_type);
    free(execution->standard_output);
    free(execution->standard_error);
    free(execution->result);
    wire_refusals_clear(execution->refusals, execution->refusal_count);
    *execution = (struct wire_execution){0};
}

static bool is_over(enum wire_status status)
{
    return status != WIRE_STATUS_NOT_STARTED && status != WIRE_STATUS_RUNNING;
}

static void write_result(struct writer *writer, const char *key,
                         const struct wire_execution *execution)
{
    if (execution->result)
        writer_raw(writer, key, execution->result, execution->result_length);
    else
        writer_string(writer, key, "");
}

static void write_streams(struct writer *writer, const struct wire_execution *execution)
{
    writer_text(writer, "stdout", execution->standard_output, execution->standard_output_length);
    writer_text(writer, "stderr", execution->standard_error, execution->standard_error_length);
}

static void write_time(struct writer *writer, const struct wire_execution *execution)
{
    writer_integer(writer, "executionTimeInMilliseconds", execution->execution_time_ms);
}

static void write_generation_0(struct writer *writer, const struct wire_execution *execution)
{
    writer_string(writer, "status", statuses[execution->status].earlier);
    write_streams(writer, execution);
    write_result(writer, "result", execution);
    write_time(writer, execution);
    /* Clients of that time read it where something failed. */
    if (execution->status != WIRE_STATUS_SUCCEEDED)
        writer_text(writer, "error", execution->standard_error, execution->standard_error_length);
}

static void write_generation_1(struct writer *writer, const struct wire_execution *execution)
{
    writer_open_object(writer, "properties");
    writer_string(writer, "status", statuses[execution->status].earlier);
    write_streams(writer, execution);
    /* Clients of one api-version read the one or the other (docs/api.md, "Executions"). */
    write_result(writer, "result", execution);
    write_result(writer, "executionResult", execution);
    write_time(writer, execution);
    writer_close_object(writer);
    wire_refusals_write(writer, execution->refusals, execution->refusal_count);
}

static void write_generation_2(struct writer *writer, const struct wire_execution *execution)
{
    if (execution->id)
        writer_string(writer, "id", execution->id);
    if (execution->identifier)
        writer_string(writer, "identifier", execution->identifier);
    if (execution->execution_type)
        writer_string(writer, "executionType", execution->execution_type);
    writer_string(writer, "status", statuses[execution->status].generation_2);
    if (!is_over(execution->status))
        return;
    writer_open_object(writer, "result");
    write_streams(writer, execution);
    write_result(writer, "executionResult", execution);
    write_time(writer, execution);
    writer_close_object(writer);
    wire_refusals_write(writer, execution->refusals, execution->refusal_count);
}

int wire_write_execution(enum wire_generation generation, const struct wire_options *options,
                         const struct wire_execution *execution, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, options->with_ids);
    writer_open_object(&writer, NULL);
    if (generation == WIRE_GENERATION_0)
        write_generation_0(&writer, execution);
    else if (generation == WIRE_GENERATION_1)
        write_generation_1(&writer, execution);
    else
        write_generation_2(&writer, execution);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

/* Where the value is, most preferred first. */
static const char *const value_paths[][2][3] = {
    [WIRE_GENERATION_1] = {{"properties", "result", NULL}, {"properties", "executionResult", NULL}},
    [WIRE_GENERATION_2] = {{"result", "executionResult", NULL}, {"result", "result", NULL}},
};

/* The raw text of a value inside an answer; start is NULL where there is none. */
struct span {
    const char *start;
    size_t length;
};

static int find_value(const char *data, size_t length, const char *const *path,
                      struct span *ret_span, struct error *err)
{
    struct error why = {0};
    if (json_scan_find(data, length, path, &ret_span->start, &ret_span->length, &why) == 0 ||
        why.code == ERROR_MISSING)
        return 0;
    return error_set(err, why.code, "%s", why.message);
}

/* Appends the text with null in the place of each span. */
static bool append_without(const char *data, size_t length, struct span spans[2], struct buf *out)
{
    bool in_order = !spans[1].start || (spans[0].start && spans[0].start < spans[1].start);
    const char *at = data;
    for (int i = 0; i < 2; i++) {
        const struct span *span = &spans[in_order ? i : 1 - i];
        if (!span->start)
            continue;
        if (!buf_append(out, at, (size_t)(span->start - at)) || !buf_append_text(out, "null"))
            return false;
        at = span->start + span->length;
    }
    return buf_append(out, at, (size_t)(data + length - at));
}

/* Jansson refuses integers beyond 64 bits and prints 0.1 in its own way, so the value is cut out of
 * the text before Jansson sees the rest. */
static int parse_answer(enum wire_generation generation, const char *data, size_t length,
                        json_t **ret_document, struct span *ret_value, struct error *err)
{
    struct span spans[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        if (find_value(data, length, value_paths[generation][i], &spans[i], err) < 0)
            return -1;
    }
    AUTO_BUF struct buf rest = {0};
    if (!append_without(data, length, spans, &rest))
        return error_set(err, ERROR_LIMIT, "out of memory");
    if (json_parse_with_nuls(rest.data, rest.length, rest.length, ret_document, err) < 0)
        return -1;
    *ret_value = spans[0].start ? spans[0] : spans[1];
    return 0;
}

static int read_status(json_t *members, enum wire_status *ret_status, struct error *err)
{
    const char *word = NULL;
    if (json_get_text(members, "", "status", &word, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (strcmp(word, statuses[i].earlier) == 0 || strcmp(word, statuses[i].generation_2) == 0) {
            *ret_status = statuses[i].status;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "status: %.40s is not a known word", word);
}

static int read_stream(json_t *members, const char *key, char **ret_text, size_t *ret_length,
                       struct error *err)
{
    json_t *value = json_object_get(members, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return error_set(err, ERROR_INVALID, "%s: must be a string", key);
    size_t length = json_string_length(value);
    char *text = xcalloc(length + 1, 1);
    memcpy(text, json_string_value(value), length);
    *ret_text = text;
    *ret_length = length;
    return 0;
}

static int read_figures(json_t *members, struct span value, struct wire_execution *execution,
                        struct error *err)
{
    if (read_stream(members, "stdout", &execution->standard_output,
                    &execution->standard_output_length, err) < 0 ||
        read_stream(members, "stderr", &execution->standard_error,
                    &execution->standard_error_length, err) < 0 ||
        json_get_integer_optional(members, "", "executionTimeInMilliseconds", 0, JSON_INTEGER_MAX,
                                  &execution->execution_time_ms, err) < 0)
        return -1;
    if (value.start) {
        execution->result = xstrndup(value.start, value.length);
        execution->result_length = value.length;
    }
    return 0;
}

static int read_name(json_t *document, const char *key, char **ret_text, struct error *err)
{
    const char *text = NULL;
    if (json_get_text_optional(document, "", key, &text, err) < 0)
        return -1;
    *ret_text = text ? xstrdup(text) : NULL;
    return 0;
}

static int read_generation_1(json_t *document, struct span value, struct wire_execution *execution,
                             struct error *err)
{
    json_t *members = json_object_get(document, "properties");
    if (!json_is_object(members))
        return error_set(err, ERROR_INVALID, "properties: is required and must be an object");
    if (read_status(members, &execution->status, err) < 0)
        return -1;
    return read_figures(members, value, execution, err);
}

static int read_generation_2(json_t *document, struct span value, struct wire_execution *execution,
                             struct error *err)
{
    json_t *result = NULL;
    if (read_name(document, "id", &execution->id, err) < 0 ||
        read_name(document, "identifier", &execution->identifier, err) < 0 ||
        read_name(document, "executionType", &execution->execution_type, err) < 0 ||
        read_status(document, &execution->status, err) < 0 ||
        json_get_object_optional(document, "", "result", &result, err) < 0)
        return -1;
    return read_figures(result, value, execution, err);
}

int wire_read_execution(enum wire_generation generation, const char *data, size_t length,
                        struct wire_execution *ret_execution, struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    struct span value = {0};
    if (parse_answer(generation, data, length, &document, &value, err) < 0)
        return error_add_context(err, "the answer");

    struct wire_execution execution = {0};
    int outcome = generation == WIRE_GENERATION_1
                      ? read_generation_1(document, value, &execution, err)
                      : read_generation_2(document, value, &execution, err);
    if (outcome == 0)
        outcome = wire_refusals_read(document, &execution.refusals, &execution.refusal_count, err);
    if (outcome < 0) {
        wire_execution_clear(&execution);
        return error_add_context(err, "the answer");
    }
    *ret_execution = execution;
    return 0;
}
