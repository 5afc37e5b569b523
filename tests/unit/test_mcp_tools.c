#include "sandboxd/api/mcp_tools.h"

#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "sandboxd/link/interpreter.h"
#include "tests/support/unit.h"

static int read_call(const char *params, struct mcp_call *call, struct error *err)
{
    struct json_span span = {.start = params, .length = params ? strlen(params) : 0};
    return mcp_read_call(span, call, err);
}

static void check_call(const char *params, enum mcp_action action, const char *environment,
                       const char *code, size_t code_length)
{
    struct mcp_call call;
    struct error err = {0};
    if (read_call(params, &call, &err) < 0)
        fail_msg("%s: %s", params, err.message);
    assert_int_equal(call.action, action);
    assert_string_equal(call.environment, environment);
    assert_int_equal(call.code.length, code_length);
    if (code_length > 0)
        assert_memory_equal(call.code.data, code, code_length);
    mcp_call_clear(&call);
}

#define CALL(tool, arguments) "{\"name\":\"" tool "\",\"arguments\":{" arguments "}}"
#define SHELL(arguments)      CALL("runShellCommandInRemoteEnvironment", arguments)
#define PYTHON(arguments)     CALL("runPythonCodeInRemoteEnvironment", arguments)
#define HERE                  "\"environmentId\":\"here\""

static void calls_become_programs(void **state)
{
    (void)state;
    check_call(CALL("launchShell", ""), MCP_LAUNCH, "", "", 0);
    check_call("{\"name\":\"launchShell\"}", MCP_LAUNCH, "", "", 0);
    check_call("{\"name\":\"launchShell\",\"arguments\":null,\"_meta\":{\"progressToken\":1}}",
               MCP_LAUNCH, "", "", 0);
    check_call(CALL("launchPythonEnvironment", "\"more\":1"), MCP_LAUNCH, "", "", 0);
    check_call(PYTHON(HERE ",\"pythonCode\":\"1 + 1\\n\""), MCP_RUN_CODE, "here", "1 + 1\n", 6);
    static const char line[] = "bash\0-c\0--\0-x 'y' \"z\"";
    check_call(SHELL(HERE ",\"shellCommand\":\"-x 'y' \\\"z\\\"\""), MCP_RUN_COMMAND, "here", line,
               sizeof line);
    static const char words[] = "echo\0a b\0\0c";
    check_call(SHELL(HERE ",\"shellCommand\":null,\"execCommandAndArgs\":[\"echo\",\"a b\",\"\","
                          "\"c\"]"),
               MCP_RUN_COMMAND, "here", words, sizeof words);
}

static void what_is_wrong_with_a_call_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *named;
    } cases[] = {
        {NULL, "params: "},
        {"[1]", "params: "},
        {"{}", "params.name: "},
        {"{\"name\":1}", "params.name: "},
        {"{\"name\":\"nothing\"}", "params.name: unknown tool \"nothing\""},
        {"{\"name\":\"launchShell\",\"arguments\":[]}", "params.arguments: "},
        {PYTHON("\"pythonCode\":\"1\""), "arguments.environmentId: "},
        {PYTHON("\"environmentId\":\"abc\",\"pythonCode\":\"1\""), "arguments.environmentId: "},
        {PYTHON("\"environmentId\":\"a b c\",\"pythonCode\":\"1\""), "arguments.environmentId: "},
        {PYTHON("\"environmentId\":\"here\\u0000\",\"pythonCode\":\"1\""),
         "arguments.environmentId: "},
        {PYTHON("\"environmentId\":5,\"pythonCode\":\"1\""), "arguments.environmentId: "},
        {PYTHON(HERE), "arguments.pythonCode: "},
        {PYTHON(HERE ",\"pythonCode\":\"\""), "arguments.pythonCode: "},
        {PYTHON(HERE ",\"pythonCode\":[]"), "arguments.pythonCode: "},
        {PYTHON(HERE ",\"pythonCode\":\"a\\u0000b\""), "arguments.pythonCode: "},
        {SHELL(HERE), "arguments.shellCommand: give either"},
        {SHELL(HERE ",\"shellCommand\":\"a\",\"execCommandAndArgs\":[\"a\"]"),
         "arguments.shellCommand: give either"},
        {SHELL(HERE ",\"shellCommand\":\"\""), "arguments.shellCommand: "},
        {SHELL(HERE ",\"shellCommand\":\"a\\u0000b\""), "arguments.shellCommand: "},
        {SHELL(HERE ",\"execCommandAndArgs\":[]"), "arguments.execCommandAndArgs: "},
        {SHELL(HERE ",\"execCommandAndArgs\":\"a\""), "arguments.execCommandAndArgs: "},
        {SHELL(HERE ",\"execCommandAndArgs\":[\"\"]"), "arguments.execCommandAndArgs: "},
        {SHELL(HERE ",\"execCommandAndArgs\":[\"a\",1]"), "arguments.execCommandAndArgs: "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mcp_call call;
        struct error err = {0};
        assert_int_equal(read_call(cases[i].params, &call, &err), -1);
        if (strncmp(err.message, cases[i].named, strlen(cases[i].named)) != 0)
            fail_msg("%s: %s", cases[i].params, err.message);
    }
}

static void a_command_line_is_as_long_as_the_kernel_takes(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        AUTO_BUF struct buf params = {0};
        struct mcp_call call;
        struct error err = {0};
        buf_printf(&params,
                   "{\"name\":\"runShellCommandInRemoteEnvironment\",\"arguments\":{" HERE
                   ",\"shellCommand\":\"%0*d\"}}",
                   MCP_WORD_BYTES_MAX + more, 0);
        assert_int_equal(read_call(params.data, &call, &err), more == 0 ? 0 : -1);
        if (more == 0)
            mcp_call_clear(&call);
        else
            assert_non_null(
                strstr(err.message, "arguments.shellCommand: longer than 131071 bytes"));
    }
}

static void all_words_together_are_bounded(void **state)
{
    (void)state;
    AUTO_BUF struct buf params = {0};
    struct mcp_call call;
    struct error err = {0};
    buf_append_text(&params, "{\"name\":\"runShellCommandInRemoteEnvironment\",\"arguments\":{" HERE
                             ",\"execCommandAndArgs\":[\"a\"");
    for (int i = 0; i < 11; i++)
        buf_printf(&params, ",\"%0100000d\"", 0);
    buf_append_text(&params, "]}}");
    assert_int_equal(read_call(params.data, &call, &err), -1);
    assert_non_null(strstr(err.message, "arguments.execCommandAndArgs: "));
}

/* ---- results ---- */

/* The member "result" as it would be sent. */
static json_t *result_of(void (*write)(struct writer *writer, const void *self), const void *self)
{
    AUTO_BUF struct buf out = {0};
    struct error err = {0};
    json_t *document = NULL;
    struct writer writer = writer_begin(&out, false);
    writer_open_object(&writer, NULL);
    write(&writer, self);
    writer_close_object(&writer);
    assert_int_equal(writer_finish(&writer, &err), 0);
    if (json_parse_with_nuls(out.data, out.length, out.length, &document, &err) < 0)
        fail_msg("%s: %s", err.message, out.data);
    json_t *result = json_incref(json_object_get(document, "result"));
    json_decref(document);
    return result;
}

static void write_run(struct writer *writer, const void *self)
{
    mcp_write_run("here", self, writer);
}

static void write_tools(struct writer *writer, const void *self)
{
    mcp_write_tools(*(const bool *)self, writer);
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "(none)";
}

/* A finished run; its text constants are not freed. */
static struct run finished(bool succeeded, enum done_display display, const char *result)
{
    struct run run = {.outcome = RUN_FINISHED,
                      .done = {.succeeded = succeeded, .display = display}};
    buf_append_text(&run.result, result);
    run.result_total = run.result.length;
    capture_open(&run.output, CAPTURE_BYTES_MAX);
    capture_open(&run.errors, CAPTURE_BYTES_MAX);
    return run;
}

static void structured_content_comes_as_text_too(void **state)
{
    (void)state;
    struct run run = finished(true, DISPLAY_TEXT, "[1, 2]");
    capture_append(&run.output, "a\n", 2);
    AUTO_JSON json_t *result = result_of(write_run, &run);
    json_t *structured = json_object_get(result, "structuredContent");
    assert_string_equal(text_of(structured, "environmentId"), "here");
    assert_string_equal(text_of(structured, "status"), "Succeeded");
    assert_string_equal(text_of(structured, "stdout"), "a\n");
    assert_string_equal(text_of(structured, "stderr"), "");
    assert_int_equal(json_array_size(json_object_get(structured, "executionResult")), 2);
    assert_null(json_object_get(structured, "exitCode"));
    assert_true(json_is_false(json_object_get(result, "isError")));

    json_t *content = json_object_get(result, "content");
    assert_int_equal(json_array_size(content), 1);
    const char *text = text_of(json_array_get(content, 0), "text");
    AUTO_JSON json_t *again = json_loads(text, 0, NULL);
    assert_true(json_equal(again, structured));
    run_clear(&run);
}

static void a_figure_is_an_item_of_its_own(void **state)
{
    (void)state;
    struct run run = finished(true, DISPLAY_IMAGE, "PNG");
    AUTO_JSON json_t *result = result_of(write_run, &run);
    json_t *structured = json_object_get(result, "structuredContent");
    json_t *value = json_object_get(structured, "executionResult");
    assert_string_equal(text_of(value, "format"), "png");
    assert_null(json_object_get(value, "base64_data"));
    json_t *item = json_array_get(json_object_get(result, "content"), 1);
    assert_string_equal(text_of(item, "type"), "image");
    assert_string_equal(text_of(item, "mimeType"), "image/png");
    assert_string_equal(text_of(item, "data"), "UE5H");
    run_clear(&run);
}

static void a_command_brings_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t code; /* -1: none */
    } cases[] = {{"0", 0}, {"137", 137}, {"-1", -1}, {"3 4", -1}, {"99999999999", -1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run run = finished(cases[i].code == 0, DISPLAY_TEXT, cases[i].text);
        run.is_command = true;
        AUTO_JSON json_t *result = result_of(write_run, &run);
        json_t *structured = json_object_get(result, "structuredContent");
        json_t *code = json_object_get(structured, "exitCode");
        assert_int_equal(code ? json_integer_value(code) : -1, cases[i].code);
        assert_null(json_object_get(structured, "executionResult"));
        assert_string_equal(text_of(structured, "status"),
                            cases[i].code == 0 ? "Succeeded" : "Failed");
        assert_true(json_is_false(json_object_get(result, "isError")));
        run_clear(&run);
    }
}

static void a_run_that_was_stopped_is_an_error(void **state)
{
    (void)state;
    struct run run = finished(false, DISPLAY_NOTHING, "");
    run.outcome = RUN_TIMED_OUT;
    AUTO_JSON json_t *result = result_of(write_run, &run);
    assert_true(json_is_true(json_object_get(result, "isError")));
    json_t *structured = json_object_get(result, "structuredContent");
    assert_string_equal(text_of(structured, "stderr"),
                        "Request timed out waiting for code execution to complete");
    run_clear(&run);
}

static void every_tool_has_what_a_model_needs(void **state)
{
    (void)state;
    const bool has_network = false;
    AUTO_JSON json_t *result = result_of(write_tools, &has_network);
    json_t *tools = json_object_get(result, "tools");
    assert_int_equal(json_array_size(tools), 4);
    for (size_t i = 0; i < json_array_size(tools); i++) {
        json_t *tool = json_array_get(tools, i);
        assert_true(strlen(text_of(tool, "name")) > 8);
        assert_true(strlen(text_of(tool, "description")) > 40);
        assert_string_equal(text_of(json_object_get(tool, "inputSchema"), "type"), "object");
        assert_true(json_is_object(json_object_get(tool, "annotations")));
    }
}

static void a_model_is_told_whether_there_is_a_network(void **state)
{
    (void)state;
    for (int has_network = 0; has_network < 2; has_network++) {
        const bool told = has_network;
        AUTO_JSON json_t *result = result_of(write_tools, &told);
        json_t *tool;
        size_t i, running = 0;
        json_array_foreach(json_object_get(result, "tools"), i, tool)
        {
            json_t *open = json_object_get(json_object_get(tool, "annotations"), "openWorldHint");
            bool runs = strncmp(text_of(tool, "name"), "run", 3) == 0;
            running += runs;
            assert_int_equal(json_is_true(open), runs && told);
            assert_int_equal(strstr(text_of(tool, "description"), "No network.") != NULL,
                             runs && !told);
        }
        assert_int_equal(running, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_become_programs),
        cmocka_unit_test(what_is_wrong_with_a_call_is_named),
        cmocka_unit_test(a_command_line_is_as_long_as_the_kernel_takes),
        cmocka_unit_test(all_words_together_are_bounded),
        cmocka_unit_test(structured_content_comes_as_text_too),
        cmocka_unit_test(a_figure_is_an_item_of_its_own),
        cmocka_unit_test(a_command_brings_its_exit_code),
        cmocka_unit_test(a_run_that_was_stopped_is_an_error),
        cmocka_unit_test(every_tool_has_what_a_model_needs),
        cmocka_unit_test(a_model_is_told_whether_there_is_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
