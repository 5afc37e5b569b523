#include <stdlib.h>

#include "agent/tape/script.h"
#include "tests/support/unit.h"

static struct script *read_script(const char *text)
{
    struct script *script = NULL;
    struct error err = {0};
    if (script_read(text, strlen(text), &script, &err) < 0)
        fail_msg("%s", err.message);
    return script;
}

static void every_kind_of_step_is_read(void **state)
{
    (void)state;
    AUTO(script)
    struct script *script = read_script("# a comment\n"
                                        "\n"
                                        "model gpt-x\n"
                                        "usage input 12 output 5\n"
                                        "chunks random 7\n"
                                        "error 429 after 2 code rate_limit Slow down\n"
                                        "label again\n"
                                        "  think \"a\\u00e9\\n\"\n"
                                        "say plain text, \"quoted\" inside  \n"
                                        "call run_python {\"code\": \"1\"}\n"
                                        "delay 200\n"
                                        "header X-Test: yes\n"
                                        "raw \"data: {}\\r\\n\\r\\n\"\n"
                                        "finish length\n"
                                        "cut after 40 bytes\n"
                                        "---\n"
                                        "expect-request contains \"run_python\"\n"
                                        "when observation matches /a\\/b|c/i goto again\n"
                                        "repeat again 3 times\n"
                                        "goto again\n");
    static const enum script_kind kinds[] = {
        SCRIPT_MODEL, SCRIPT_USAGE, SCRIPT_CHUNKS, SCRIPT_ERROR,  SCRIPT_LABEL,  SCRIPT_THINK,
        SCRIPT_SAY,   SCRIPT_CALL,  SCRIPT_DELAY,  SCRIPT_HEADER, SCRIPT_RAW,    SCRIPT_FINISH,
        SCRIPT_CUT,   SCRIPT_NEXT,  SCRIPT_EXPECT, SCRIPT_WHEN,   SCRIPT_REPEAT, SCRIPT_GOTO,
    };
    const struct script_step *steps = script->steps;

    assert_int_equal(script->count, COUNT(kinds));
    for (size_t i = 0; i < COUNT(kinds); i++)
        assert_int_equal(steps[i].kind, kinds[i]);
    assert_int_equal(steps[2].chunks.kind, SCRIPT_BY_CHANCE);
    assert_int_equal(steps[2].chunks.number, 7);
    assert_int_equal(steps[3].number, 429);
    assert_int_equal(steps[3].after_ms, 2000);
    assert_string_equal(steps[3].name, "rate_limit");
    assert_string_equal(steps[3].text, "Slow down");
    assert_string_equal(steps[5].text, "a\xc3\xa9\n");
    assert_string_equal(steps[6].text, "plain text, \"quoted\" inside  ");
    assert_string_equal(steps[7].text, "{\"code\": \"1\"}");
    assert_string_equal(steps[9].name, "X-Test");
    assert_string_equal(steps[10].text, "data: {}\r\n\r\n");
    assert_string_equal(steps[15].test.text, "a/b|c");
    assert_int_equal(steps[15].target, 4);
    assert_int_equal(steps[16].number, 3);
}

static void lines_are_taken_as_they_are(void **state)
{
    (void)state;
    AUTO(script)
    struct script *script = read_script("say <<END\n"
                                        "one\n"
                                        "  # two\n"
                                        "END\n"
                                        "call run_python <<END\n"
                                        "print(\"x\")\n"
                                        "END\n"
                                        "raw <<DONE\n"
                                        "data: {}\n"
                                        "\n"
                                        "DONE\n");

    assert_string_equal(script->steps[0].text, "one\n  # two");
    assert_string_equal(script->steps[1].text, "{\"code\":\"print(\\\"x\\\")\\n\"}");
    assert_string_equal(script->steps[2].text, "data: {}\n\n");
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"say hi\nsya hi\n", "line 2: a step must begin with"},
        {"say\n", "line 1: the text is missing"},
        {"say \"open\n", "line 1: the closing \""},
        {"say \"a\" b\n", "line 1: there is more on the line"},
        {"say \"\\x\"\n", "not a string as JSON has it"},
        {"say <<END\nhi\n", "line 1: no line \"END\" ends this text"},
        {"say \xff\n", "not UTF-8"},
        {"error 99\n", "the status must be from 200"},
        {"error many\n", "the status must be a number"},
        {"error 429 after soon\n", "\"after\" needs seconds"},
        {"cut 5\n", "cut after N bytes"},
        {"usage 5\n", "usage input N output N"},
        {"chunks 0\n", "chunks must be"},
        {"\n\ngoto nowhere\n", "line 3: there is no label nowhere"},
        {"label a\nlabel a\n", "line 2: the label a is on line 1"},
        {"expect-weather contains x\n", "request, observation, user or system"},
        {"expect-user is x\n", "write contains"},
        {"when user contains x goto a\n", "a condition ends with"},
        {"when user matches x goto a\n", "between slashes"},
        {"when user matches /(/ goto a\n", "not an extended regular expression"},
        {"when user matches /a{9999}/ goto a\n", "no {}"},
        {"when user matches /(a)\\1/ goto a\n", "no \\1"},
        {"when user matches /a+++++++++/ goto a\n", "at most 8 +"},
        {"header X: \"a\\nb\"\n", "no control characters"},
        {"header X=1: a\n", "letters, digits and hyphens"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script *script = NULL;
        struct error err = {0};
        assert_int_equal(script_read(cases[i].text, strlen(cases[i].text), &script, &err), -1);
        assert_error(err, ERROR_INVALID, cases[i].message);
        assert_null(script);
    }
}

static void a_script_has_a_size_that_it_may_not_pass(void **state)
{
    (void)state;
    AUTO_FREE char *text = xcalloc((SCRIPT_STEPS_MAX + 1) * 4 + 1, 1);
    struct script *script = NULL;
    struct error err = {0};
    for (size_t i = 0; i <= SCRIPT_STEPS_MAX; i++)
        memcpy(text + 4 * i, "---\n", 4);

    assert_int_equal(script_read(text, strlen(text), &script, &err), -1);
    assert_error(err, ERROR_LIMIT, "line 20001");
    assert_int_equal(script_read(text, (size_t)SCRIPT_BYTES_MAX + 1, &script, &err), -1);
    assert_error(err, ERROR_LIMIT, "bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_step_is_read),
        cmocka_unit_test(lines_are_taken_as_they_are),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_script_has_a_size_that_it_may_not_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
