#include "sandboxd/admin/shell_syntax.h"

#include "tests/support/unit.h"

static void every_syntax_quotes_in_its_own_way(void **state)
{
    (void)state;
    static const struct {
        enum shell_syntax syntax;
        const char *value, *line;
    } cases[] = {
        {SHELL_SH, "a b", "export NAME='a b'\n"},
        {SHELL_SH, "it's $HOME", "export NAME='it'\\''s $HOME'\n"},
        {SHELL_FISH, "it's \\ $HOME", "set -gx NAME 'it\\'s \\\\ $HOME'\n"},
        {SHELL_DOTENV, "http://127.0.0.1:1/a-b_c.d", "NAME=http://127.0.0.1:1/a-b_c.d\n"},
        {SHELL_DOTENV, "a #b", "NAME='a #b'\n"},
        {SHELL_DOTENV, "it's \"$1\"", "NAME=\"it's \\\"\\$1\\\"\"\n"},
        {SHELL_GITHUB, "it's a \"b\" = c", "NAME=it's a \"b\" = c\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf out = {0};
        struct error err = {0};
        assert_int_equal(shell_syntax_write(cases[i].syntax, "NAME", cases[i].value, &out, &err),
                         0);
        assert_string_equal(out.data, cases[i].line);
    }
}

static void a_line_end_in_a_value_is_refused(void **state)
{
    (void)state;
    for (int syntax = 0; syntax < SHELL_SYNTAX_END; syntax++) {
        AUTO_BUF struct buf out = {0};
        struct error err = {0};
        assert_int_equal(
            shell_syntax_write((enum shell_syntax)syntax, "NAME", "a\nb=c", &out, &err), -1);
        assert_error(err, ERROR_INVALID, "NAME");
        assert_int_equal(out.length, 0);
    }
}

static void syntaxes_are_found_by_name(void **state)
{
    (void)state;
    enum shell_syntax syntax = SHELL_SH;
    struct error err = {0};
    assert_int_equal(shell_syntax_find("fish", &syntax, &err), 0);
    assert_int_equal(syntax, SHELL_FISH);
    assert_int_equal(shell_syntax_find("csh", &syntax, &err), -1);
    assert_error(err, ERROR_INVALID, "sh, fish, dotenv and github");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_syntax_quotes_in_its_own_way),
        cmocka_unit_test(a_line_end_in_a_value_is_refused),
        cmocka_unit_test(syntaxes_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
