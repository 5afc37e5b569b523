#include "sandboxd/api/mcp_protocol.h"

#include <stdio.h>

#include "tests/support/unit.h"

static struct buf out;

static int initialize(const char *params, struct error *err)
{
    struct json_span span = {.start = params, .length = params ? strlen(params) : 0};
    buf_clear(&out);
    struct writer writer = writer_begin(&out, false);
    writer_open_object(&writer, NULL);
    int result = mcp_write_initialize(span, &writer, err);
    writer_close_object(&writer);
    return result;
}

static void check_version_and_tools(const char *version, const char *tools)
{
    char expected[128];
    snprintf(expected, sizeof expected, "\"protocolVersion\":\"%s\"", version);
    if (!strstr(out.data, expected) || !strstr(out.data, tools))
        fail_msg("%s", out.data);
}

#define RECORDED_TOOLS "\"tools\":{\"call\":true,\"list\":true}"
#define STANDARD_TOOLS "\"tools\":{\"listChanged\":false}"
#define CLIENT         "\"clientInfo\":{\"name\":\"a\",\"version\":\"1\"}"

static void client_and_server_agree_on_a_version(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *version;
        const char *tools;
    } cases[] = {
        {NULL, "2025-03-26", RECORDED_TOOLS},
        {"{}", "2025-03-26", RECORDED_TOOLS},
        {"{" CLIENT "}", "2025-03-26", RECORDED_TOOLS},
        {"{\"protocolVersion\":\"2025-06-18\"}", "2025-06-18", RECORDED_TOOLS},
        {"{\"protocolVersion\":\"2024-11-05\"," CLIENT "}", "2024-11-05", STANDARD_TOOLS},
        {"{\"protocolVersion\":\"2025-06-18\"," CLIENT ",\"capabilities\":{}}", "2025-06-18",
         STANDARD_TOOLS},
        {"{\"protocolVersion\":\"2025-11-25\"," CLIENT "}", "2025-11-25", STANDARD_TOOLS},
        {"{\"protocolVersion\":\"2031-01-01\"," CLIENT "}", "2025-11-25", STANDARD_TOOLS},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        if (initialize(cases[i].params, &err) < 0)
            fail_msg("%s: %s", cases[i].params, err.message);
        check_version_and_tools(cases[i].version, cases[i].tools);
        assert_non_null(
            strstr(out.data, "\"serverInfo\":{\"name\":\"Microsoft Container Apps MCP Server\""));
    }
}

static void a_wrong_parameter_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *named;
    } cases[] = {
        {"[]", "params: "},
        {"{\"protocolVersion\":1}", "params.protocolVersion: "},
        {"{\"protocolVersion\":\"2025-06-18\",\"clientInfo\":\"a\"}", "params.clientInfo: "},
        {"{\"a\":1,\"a\":2}", "params: "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        assert_int_equal(initialize(cases[i].params, &err), -1);
        if (strncmp(err.message, cases[i].named, strlen(cases[i].named)) != 0)
            fail_msg("%s: %s", cases[i].params, err.message);
    }
}

static void batches_end_with_2025_03_26(void **state)
{
    (void)state;
    assert_true(mcp_version_has_batches(NULL));
    assert_true(mcp_version_has_batches("2024-11-05"));
    assert_true(mcp_version_has_batches("2025-03-26"));
    assert_false(mcp_version_has_batches("2025-06-18"));
    assert_false(mcp_version_has_batches("2025-11-25"));
    assert_false(mcp_version_is_known("2025-03-27"));
    assert_true(mcp_version_is_known("2025-11-25"));
}

static int free_out(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_and_server_agree_on_a_version),
        cmocka_unit_test(a_wrong_parameter_is_named),
        cmocka_unit_test(batches_end_with_2025_03_26),
    };
    return cmocka_run_group_tests(tests, NULL, free_out);
}
