#include <string.h>

#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/wire.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/mcp_tools.h"

enum { EXIT_CODE_TEXT_MAX = 10 };

static void write_text(struct writer *writer, const char *text, size_t length)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "type", "text");
    writer_text(writer, "text", text, length);
    writer_close_object(writer);
}

static void write_end(struct writer *writer, bool is_error)
{
    writer_close_array(writer);
    writer_boolean(writer, "isError", is_error);
    writer_close_object(writer);
}

/* As the protocol has it: structured content, and its JSON as text for clients that read no other.
 */
static void write_begin(const struct buf *structured, struct writer *writer)
{
    writer_open_object(writer, "result");
    writer_raw(writer, "structuredContent", structured->data, structured->length);
    writer_open_array(writer, "content");
    write_text(writer, structured->data, structured->length);
}

void mcp_write_launched(const char *environment, struct writer *writer)
{
    AUTO_BUF struct buf structured = {0};
    struct writer inner = writer_begin(&structured, false);
    writer_open_object(&inner, NULL);
    writer_string(&inner, "environmentId", environment);
    writer_close_object(&inner);
    write_begin(&structured, writer);
    write_end(writer, false);
}

void mcp_write_failure(const char *message, struct writer *writer)
{
    writer_open_object(writer, "result");
    writer_open_array(writer, "content");
    write_text(writer, message, strlen(message));
    write_end(writer, true);
}

/* ---- a run ---- */

static bool is_whole_figure(const struct run *run)
{
    return run->outcome == RUN_FINISHED && run->done.display == DISPLAY_IMAGE &&
           run->result_total == run->result.length && run->result.data;
}

/* The guest's word: only digits pass. */
static void write_exit_code(const struct run *run, struct writer *writer)
{
    uint64_t code = 0;
    if (run->outcome == RUN_FINISHED && run->result.data &&
        run->result.length <= EXIT_CODE_TEXT_MAX && text_parse_u64(run->result.data, &code))
        writer_integer(writer, "exitCode", (int64_t)code);
}

/* The bytes of a figure are an item of their own: models should not read them as text. */
static void write_value(const struct run *run, const struct wire_execution *execution,
                        struct writer *writer)
{
    static const char figure[] = "{\"type\":\"image\",\"format\":\"png\"}";
    if (is_whole_figure(run))
        writer_raw(writer, "executionResult", figure, sizeof figure - 1);
    else if (execution->result)
        writer_raw(writer, "executionResult", execution->result, execution->result_length);
    else
        writer_string(writer, "executionResult", "");
}

static int write_structured(const char *environment, const struct run *run, struct buf *out,
                            struct error *err)
{
    static const struct answer_options options = {.none_as_null = true,
                                                  .stream_characters_max = -1};
    struct wire_execution execution = {0};
    answer_fill(run, &options, &execution);
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "environmentId", environment);
    writer_string(&writer, "status",
                  execution.status == WIRE_STATUS_SUCCEEDED  ? "Succeeded"
                  : execution.status == WIRE_STATUS_CANCELED ? "Canceled"
                                                             : "Failed");
    writer_text(&writer, "stdout", execution.standard_output, execution.standard_output_length);
    writer_text(&writer, "stderr", execution.standard_error, execution.standard_error_length);
    if (run->is_command)
        write_exit_code(run, &writer);
    else
        write_value(run, &execution, &writer);
    writer_close_object(&writer);
    wire_execution_clear(&execution);
    return writer_finish(&writer, err);
}

static void write_figure(const struct run *run, struct writer *writer)
{
    AUTO_BUF struct buf data = {0};
    base64_encode(run->result.data, run->result.length, &data);
    writer_open_object(writer, NULL);
    writer_string(writer, "type", "image");
    writer_text(writer, "data", data.data, data.length);
    writer_string(writer, "mimeType", "image/png");
    writer_close_object(writer);
}

void mcp_write_run(const char *environment, const struct run *run, struct writer *writer)
{
    AUTO_BUF struct buf structured = {.limit = ANSWER_BYTES_MAX};
    struct error err = {0};
    if (write_structured(environment, run, &structured, &err) < 0) {
        mcp_write_failure(err.message, writer);
        return;
    }
    write_begin(&structured, writer);
    if (is_whole_figure(run))
        write_figure(run, writer);
    /* A program that failed was run; one that was stopped or whose interpreter died was not. */
    write_end(writer, run->outcome != RUN_FINISHED);
}
