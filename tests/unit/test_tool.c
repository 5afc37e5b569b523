#include "agent/turn/tool.h"

#include "base/json/json.h"
#include "tests/support/unit.h"

static void tools_beyond_the_two_must_be_asked_for(void **state)
{
    (void)state;
    struct tool_set set = {0};
    tool_set_begin(&set);
    assert_int_equal(set.count, 2);
    struct tool_set all = {.has_shell = true, .has_download = true, .is_langchain = true};
    tool_set_begin(&all);
    assert_int_equal(all.count, 4);
    assert_string_equal(all.tools[0].name, "Python_REPL");
    for (size_t i = 0; i < all.count; i++) {
        AUTO_JSON json_t *schema = NULL;
        const char *text = all.tools[i].parameters;
        assert_int_equal(json_parse(text, strlen(text), 4096, &schema, NULL), 0);
        assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
    }
}

static void a_call_that_cannot_be_read_is_answered_with_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *name, *arguments, *word;
    } cases[] = {
        {"run_ruby", "{}", "The tools are: run_python, list_files"},
        {"", "{}", "there is no tool"},
        {"run_shell", "{\"command\":\"ls\"}", "there is no tool run_shell"},
        {"Python_REPL", "{\"python_code\":\"1\"}", "there is no tool"},
        {"run_python", "{", "Not run"},
        {"run_python", "[1]", "must be an object"},
        {"run_python", "", "code"},
        {"run_python", "{\"code\":1}", "code"},
        {"run_python", "{\"code\":\" \\n\"}", "is empty"},
    };
    struct tool_set set = {0};
    tool_set_begin(&set);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct llm_call call = {.name = (char *)cases[i].name,
                                .arguments = (char *)cases[i].arguments};
        struct tool_request request = {0};
        struct error err = {0};
        assert_int_equal(tool_read_call(&set, &call, &request, &err), -1);
        assert_error(err, ERROR_INVALID, cases[i].word);
        assert_null(request.code);
    }
}

static void code_is_never_altered(void **state)
{
    (void)state;
    struct tool_set set = {0};
    tool_set_begin(&set);
    struct llm_call call = {.name = (char *)"run_python",
                            .arguments = (char *)"{\"code\":\"  python_version = 3\\n```\\n \"}"};
    struct tool_request request = {0};
    assert_int_equal(tool_read_call(&set, &call, &request, NULL), 0);
    assert_string_equal(request.code, "  python_version = 3\n```\n ");
    tool_request_clear(&request);
}

static void a_command_stands_in_its_program_as_a_string(void **state)
{
    (void)state;
    struct tool_set set = {.has_shell = true};
    tool_set_begin(&set);
    struct llm_call call = {.name = (char *)"run_shell",
                            .arguments = (char *)"{\"command\":\"echo '\\\"\\n; \\\\\"}"};
    struct tool_request request = {0};
    assert_int_equal(tool_read_call(&set, &call, &request, NULL), 0);
    assert_int_equal(request.kind, TOOL_SHELL);
    assert_non_null(strstr(request.code, "['bash', '-c', \"echo '\\\"\\n; \\\\\"]"));
    assert_string_equal(request.shown, "echo '\"\n; \\");
    tool_request_clear(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_beyond_the_two_must_be_asked_for),
        cmocka_unit_test(a_call_that_cannot_be_read_is_answered_with_what_is_wrong),
        cmocka_unit_test(code_is_never_altered),
        cmocka_unit_test(a_command_stands_in_its_program_as_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
