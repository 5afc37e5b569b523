#include "agent/llm/arguments.h"

#include "tests/support/unit.h"

static const struct llm_tool tools[] = {
    {"run_python", "",
     "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},\"required\":[\"code\"],"
     "\"additionalProperties\":false}"},
    {"list_files", "", "{\"type\":\"object\",\"properties\":{}}"},
    {"download", "",
     "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"as\":{\"type\":"
     "\"string\"}},\"required\":[\"path\",\"as\"],\"additionalProperties\":false}"},
};

struct reading {
    const char *tool, *text, *expected; /* expected: JSON, or "!" and a word of the problem */
};

typedef int reader_function(const struct tool_shape *shape, const char *text, size_t length,
                            struct buf *out, struct error *err);

static void check(reader_function *read, const struct reading *cases, size_t count)
{
    struct tool_shapes shapes = {0};
    struct error err = {0};
    assert_int_equal(tool_shapes_read(tools, COUNT(tools), &shapes, &err), 0);
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF struct buf out = {0};
        int result = read(tool_shapes_find(&shapes, cases[i].tool), cases[i].text,
                          strlen(cases[i].text), &out, &err);
        const char *expected = cases[i].expected;
        const char *seen = result < 0 ? err.message : out.data;
        if (*expected == '!' ? result == 0 || !strstr(seen, expected + 1)
                             : result < 0 || strcmp(seen, expected) != 0)
            fail_msg("%s\ngives %s\nnot %s", cases[i].text, seen, expected);
    }
    tool_shapes_clear(&shapes);
}

static void arguments_are_repaired_where_that_has_one_meaning(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"run_python", "{\"code\":\"1\"}", "{\"code\":\"1\"}"},
        {"run_python", "  {\"code\": \"1\"}\n", "{\"code\": \"1\"}"},
        {"list_files", "", "{}"},
        {"list_files", " \n", "{}"},
        {"run_python", "{\"code\":\"1\",}", "{\"code\":\"1\"}"},
        {"run_python", "{\"code\":\"1\" , \n}", "{\"code\":\"1\"  \n}"},
        {"run_python", "{\"code\":\"a,]\",}", "{\"code\":\"a,]\"}"},
        {"run_python", "{\"code\":\"a\n\tb\r\n\"}", "{\"code\":\"a\\n\\tb\\r\\n\"}"},
        {"run_python", "{\"code\":\"re.sub('\\d', \\\"\\\")\"}",
         "{\"code\":\"re.sub('\\\\d', \\\"\\\")\"}"},
        {"run_python", "```json\n{\"code\":\"1\"}\n```", "{\"code\":\"1\"}"},
        {"run_python", "\"{\\\"code\\\":\\\"1\\\"}\"", "{\"code\":\"1\"}"},
        {"run_python", "\"1+1\"", "{\"code\":\"1+1\"}"},
        {"run_python", "print('a')\nprint(\"b\")", "{\"code\":\"print('a')\\nprint(\\\"b\\\")\"}"},
        {"run_python", "python_version = 3", "{\"code\":\"python_version = 3\"}"},
        {"run_python", "```python\nx = 1\n```", "{\"code\":\"x = 1\"}"},
        {"run_python", "[i for i in 'ab']", "{\"code\":\"[i for i in 'ab']\"}"},
        {"run_python", "\"\"\"doc\"\"\"\nx = 1",
         "{\"code\":\"\\\"\\\"\\\"doc\\\"\\\"\\\"\\nx = 1\"}"},
        {"unknown", "{\"a\":1}", "{\"a\":1}"},
    };
    check(arguments_read, cases, COUNT(cases));
}

static void what_was_cut_off_or_has_no_meaning_is_a_problem(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"run_python", "{\"code\":\"import os", "!cut off"},
        {"run_python", "{\"code\":\"import os\"", "!cut off"},
        {"run_python", "{\"code\":\"import os\\", "!cut off"},
        {"run_python", "{\"code\":\"a\nb", "!cut off"},
        {"run_python", "{", "!cut off"},
        {"run_python", "\"{\\\"code\\\":\\\"1\\\"\"", "!cut off"},
        {"run_python", "\"{\\\"code\\\":", "!neither"},
        {"run_python", "{'code': 'x'}", "!not a JSON object"},
        {"run_python", "{\"code\":\"1\"} and more", "!not a JSON object"},
        {"run_python", "{\"code\":\"a\",\"code\":\"b\"}", "!not a JSON object"},
        {"run_python", "{\"code\":\"a\\u0000b\"}", "!not a JSON object"},
        {"list_files", "everything", "!must be a JSON object"},
        {"download", "a.csv", "!must be a JSON object"},
        {"unknown", "1+1", "!must be a JSON object"},
    };
    check(arguments_read, cases, COUNT(cases));
}

/* Row 8 of docs/agent.md. */
static void the_input_of_a_text_protocol_comes_out_of_its_fence_or_quotes_only(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"run_python", "print(1)", "{\"code\":\"print(1)\"}"},
        {"run_python", "\nprint(1)\n\n", "{\"code\":\"print(1)\"}"},
        {"run_python", "```python\nprint(1)\n```", "{\"code\":\"print(1)\"}"},
        {"run_python", "```py\nprint(1)\n```\nThis prints.", "{\"code\":\"print(1)\"}"},
        {"run_python", "```\nprint(1)", "{\"code\":\"print(1)\"}"},
        {"run_python", "```python print(1)```", "{\"code\":\"print(1)\"}"},
        {"run_python", "```python\ns = '```'\nprint(s)\n```",
         "{\"code\":\"s = '```'\\nprint(s)\"}"},
        {"run_python", "`print(1)`", "{\"code\":\"print(1)\"}"},
        {"run_python", "\"print(1)\"", "{\"code\":\"print(1)\"}"},
        {"run_python", "\"\"\"print(1)\"\"\"", "{\"code\":\"print(1)\"}"},
        {"run_python", "\"a\" + \"b\"", "{\"code\":\"\\\"a\\\" + \\\"b\\\"\"}"},
        {"run_python", "s = \"abc\"", "{\"code\":\"s = \\\"abc\\\"\"}"},
        {"run_python", "python_version = 3", "{\"code\":\"python_version = 3\"}"},
        {"run_python", "pythonic()", "{\"code\":\"pythonic()\"}"},
        {"run_python", "{\"code\": \"1+1\"}", "{\"code\": \"1+1\"}"},
        {"run_python", "{\"code\": 1}", "{\"code\":\"{\\\"code\\\": 1}\"}"},
        {"run_python", "{1, 2}", "{\"code\":\"{1, 2}\"}"},
        {"list_files", "None", "{}"},
        {"list_files", "", "{}"},
        {"list_files", "{}", "{}"},
        {"download", "{\"path\":\"a\",\"as\":\"b\",}", "{\"path\":\"a\",\"as\":\"b\"}"},
        {"download", "a.csv", "!must be a JSON object"},
    };
    check(arguments_read_text, cases, COUNT(cases));
}

static void a_tool_is_known_by_its_schema(void **state)
{
    (void)state;
    struct tool_shapes shapes = {0};
    struct error err = {0};
    assert_int_equal(tool_shapes_read(tools, COUNT(tools), &shapes, &err), 0);
    assert_string_equal(shapes.items[0].text_property, "code");
    assert_true(shapes.items[0].is_strict);
    assert_null(shapes.items[1].text_property);
    assert_false(shapes.items[1].is_strict);
    assert_null(shapes.items[2].text_property);
    assert_true(shapes.items[2].is_strict);
    tool_shapes_clear(&shapes);

    const struct llm_tool broken = {"broken", "", "{\"type\":"};
    assert_int_equal(tool_shapes_read(&broken, 1, &shapes, &err), -1);
    assert_error(err, ERROR_INVALID, "parameters of the tool broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_repaired_where_that_has_one_meaning),
        cmocka_unit_test(what_was_cut_off_or_has_no_meaning_is_a_problem),
        cmocka_unit_test(the_input_of_a_text_protocol_comes_out_of_its_fence_or_quotes_only),
        cmocka_unit_test(a_tool_is_known_by_its_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
