#include "tests/support/unit.h"

#include "base/json/position.h"

static size_t line_of(const char *text, const char *path)
{
    return json_position_line(text, strlen(text), path);
}

static const char sample[] = "{\n"                                  /* 1 */
                             "  \"name\": \"a, ] } \\\" name\",\n"  /* 2 */
                             "  \"calls\": [\n"                     /* 3 */
                             "    {\"allow\": [\"read\", -1.5e3,\n" /* 4 */
                             "       {\"x\": [[]]}, true,\n"        /* 5 */
                             "       \"write\"]},\n"                /* 6 */
                             "\n"                                   /* 7 */
                             "    {\"refuse\": [], \"why\":\n"      /* 8 */
                             "         \"calls\"}\n"                /* 9 */
                             "  ],\n"                               /* 10 */
                             "  \"last\": null\n"                   /* 11 */
                             "}\n";

static void a_path_leads_to_the_line_of_its_value(void **state)
{
    (void)state;
    assert_int_equal(line_of(sample, ""), 1);
    assert_int_equal(line_of(sample, "name"), 2);
    assert_int_equal(line_of(sample, "calls"), 3);
    assert_int_equal(line_of(sample, "calls[0].allow[1]"), 4);
    assert_int_equal(line_of(sample, "calls[0].allow[2].x[0]"), 5);
    assert_int_equal(line_of(sample, "calls[0].allow[4]"), 6);
    assert_int_equal(line_of(sample, "calls[1]"), 8);
    assert_int_equal(line_of(sample, "calls[1].why"), 9);
    assert_int_equal(line_of(sample, "last"), 11);
}

static void a_path_that_leads_nowhere_ends_at_the_value_around_it(void **state)
{
    (void)state;
    assert_int_equal(line_of(sample, "colour"), 1);
    assert_int_equal(line_of(sample, "calls[7]"), 3);
    assert_int_equal(line_of(sample, "calls[1].error"), 8);
    assert_int_equal(line_of(sample, "name.x"), 2);
    assert_int_equal(line_of(sample, "name[0]"), 2);
    assert_int_equal(line_of(sample, "calls[0"), 3);
    assert_int_equal(line_of(sample, "calls[0]..allow"), 4);
}

static void text_that_is_no_json_has_lines_too(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[", "{\"a\"", "{\"a\":", "\"", "[1", "]", "{\"a\":}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(line_of(texts[i], "a"), 1);
        assert_int_equal(line_of(texts[i], "[1]"), 1);
    }
    assert_int_equal(line_of("\xEF\xBB\xBF\n{\n\"a\": 1}", "a"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_the_line_of_its_value),
        cmocka_unit_test(a_path_that_leads_nowhere_ends_at_the_value_around_it),
        cmocka_unit_test(text_that_is_no_json_has_lines_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
