#include "base/json/rpc.h"

#include <stdio.h>

#include "tests/support/unit.h"

static struct rpc_text text;

static void read_good(const char *json)
{
    struct error err = {0};
    int code = 0;
    if (rpc_read(json, strlen(json), &text, &code, &err) < 0)
        fail_msg("%s: %d %s", json, code, err.message);
}

static void check_span(struct json_span span, const char *expected)
{
    if (!expected) {
        assert_null(span.start);
        return;
    }
    assert_int_equal(span.length, strlen(expected));
    assert_memory_equal(span.start, expected, span.length);
}

static void a_request_is_read_with_its_id_as_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *id;
        const char *method;
        const char *params;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"initialize\"}", "\"1\"", "initialize",
         NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":98765432109876543210,\"method\":\"a\",\"params\":{\"b\": "
         "1e400}}",
         "98765432109876543210", "a", "{\"b\": 1e400}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":-0,\"method\":\"tools\\/list\",\"params\":null}", "-0",
         "tools/list", NULL},
        {"{\"params\":[1] "
         ",\"method\":\"\\u0061\",\"id\":\"\\u00e9\",\"jsonrpc\":\"2.0\",\"more\":0}",
         "\"\\u00e9\"", "a", "[1]"},
        {"\xEF\xBB\xBF {\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"\\u0000\"}", "0", "", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        read_good(cases[i].json);
        assert_false(text.is_batch);
        assert_int_equal(text.count, 1);
        assert_int_equal(text.messages[0].kind, RPC_REQUEST);
        assert_string_equal(text.messages[0].method, cases[i].method);
        check_span(text.messages[0].id, cases[i].id);
        check_span(text.messages[0].params, cases[i].params);
    }
}

static void the_kind_of_a_message_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum rpc_kind kind;
        const char *problem; /* its beginning */
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", RPC_NOTIFICATION, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", RPC_RESPONSE, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{}}", RPC_RESPONSE, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}", RPC_BROKEN, "id: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"a\"}", RPC_BROKEN, "id: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"a\"}", RPC_BROKEN, "id: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"a\"}", RPC_BROKEN, "id: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"a\"}", RPC_BROKEN, "id: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"a\"}", RPC_BROKEN,
         "a message: id: appears twice"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"a\"}", RPC_BROKEN, "jsonrpc: "},
        {"{\"id\":1,\"method\":\"a\"}", RPC_BROKEN, "jsonrpc: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_BROKEN, "method: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}", RPC_BROKEN, "method: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":\"b\"}", RPC_BROKEN,
         "params: "},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":1}", RPC_BROKEN, "params: "},
        {"\"a\"", RPC_BROKEN, "a message: must be an object"},
        {"12", RPC_BROKEN, "a message: must be an object"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        read_good(cases[i].json);
        if (text.messages[0].kind != cases[i].kind)
            fail_msg("%s is a %d", cases[i].json, text.messages[0].kind);
        assert_memory_equal(text.messages[0].problem, cases[i].problem, strlen(cases[i].problem));
    }
}

static void a_broken_request_keeps_the_id_that_it_has(void **state)
{
    (void)state;
    read_good("{\"jsonrpc\":\"3\",\"id\":7,\"method\":\"a\"}");
    check_span(text.messages[0].id, "7");
}

static void a_long_method_is_unknown(void **state)
{
    (void)state;
    char json[512];
    snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%0300d\"}", 7);
    read_good(json);
    assert_int_equal(text.messages[0].kind, RPC_REQUEST);
    assert_string_equal(text.messages[0].method, "");
}

static void an_id_is_bounded(void **state)
{
    (void)state;
    char json[512];
    snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":1%0*d,\"method\":\"a\"}",
             RPC_ID_BYTES_MAX - 1, 0);
    read_good(json);
    assert_int_equal(text.messages[0].id.length, RPC_ID_BYTES_MAX);
    snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":1%0*d,\"method\":\"a\"}",
             RPC_ID_BYTES_MAX, 0);
    read_good(json);
    assert_int_equal(text.messages[0].kind, RPC_BROKEN);
    check_span(text.messages[0].id, NULL);
}

static void a_batch_is_read_message_by_message(void **state)
{
    (void)state;
    read_good(" [{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}, "
              "5,{\"jsonrpc\":\"2.0\",\"method\":\"b\"}]");
    assert_true(text.is_batch);
    assert_int_equal(text.count, 3);
    assert_int_equal(text.messages[0].kind, RPC_REQUEST);
    assert_int_equal(text.messages[1].kind, RPC_BROKEN);
    assert_int_equal(text.messages[2].kind, RPC_NOTIFICATION);
}

static void a_body_that_holds_no_message_has_a_code(void **state)
{
    (void)state;
    AUTO_BUF struct buf many = {0};
    for (int i = 0; i <= RPC_BATCH_MAX; i++)
        buf_append_text(&many, i == 0 ? "[1" : ",1");
    buf_append_text(&many, "]");
    const struct {
        const char *json;
        int code;
    } cases[] = {
        {"", RPC_PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",", RPC_PARSE_ERROR},
        {"{\"jsonrpc\":'2.0'}", RPC_PARSE_ERROR},
        {"{} {}", RPC_PARSE_ERROR},
        {"[]", RPC_INVALID_REQUEST},
        {many.data, RPC_INVALID_REQUEST},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        int code = 0;
        assert_int_equal(rpc_read(cases[i].json, strlen(cases[i].json), &text, &code, &err), -1);
        assert_int_equal(code, cases[i].code);
        assert_true(err.message[0]);
    }
}

static void answers_carry_the_id(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct error err = {0};
    read_good("{\"jsonrpc\":\"2.0\",\"id\":18446744073709551616,\"method\":\"a\"}");
    struct writer writer = rpc_begin_answer(&text.messages[0], &out);
    writer_raw(&writer, "result", "{}", 2);
    assert_int_equal(rpc_finish_answer(&writer, &err), 0);
    assert_string_equal(out.data,
                        "{\"jsonrpc\":\"2.0\",\"id\":18446744073709551616,\"result\":{}}");

    buf_clear(&out);
    rpc_write_error(NULL, RPC_PARSE_ERROR, "a \"b\"", &out);
    assert_string_equal(out.data,
                        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":"
                        "\"a \\\"b\\\"\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_with_its_id_as_it_was),
        cmocka_unit_test(the_kind_of_a_message_is_told),
        cmocka_unit_test(a_broken_request_keeps_the_id_that_it_has),
        cmocka_unit_test(a_long_method_is_unknown),
        cmocka_unit_test(an_id_is_bounded),
        cmocka_unit_test(a_batch_is_read_message_by_message),
        cmocka_unit_test(a_body_that_holds_no_message_has_a_code),
        cmocka_unit_test(answers_carry_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
