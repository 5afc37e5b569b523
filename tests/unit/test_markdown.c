#include <stdlib.h>

#include "agent/screen/markdown.h"
#include "tests/support/unit.h"

static void assert_shows(const char *text, bool with_colours, const char *expected)
{
    AUTO_BUF struct buf out = {0};
    markdown_render(text, strlen(text), with_colours, &out);
    assert_string_equal(out.data ? out.data : "", expected);
}

static void blocks_look_like_what_they_are(void **state)
{
    (void)state;
    assert_shows("", false, "");
    assert_shows("one\ntwo\n\nthree", false, "one\ntwo\n\nthree\n");
    assert_shows("# Head\n\ntext", false, "Head\n\ntext\n");
    assert_shows("- a\n- b\n  - c\n\nend", false, "  • a\n  • b\n      • c\n\nend\n");
    assert_shows("3. a\n4. b", false, " 3. a\n 4. b\n");
    assert_shows("> a\n> b", false, "│ a\n│ b\n");
    assert_shows("```python\nfor i in x:\n    f(i)\n\ng()\n```\nend", false,
                 "    for i in x:\n        f(i)\n    \n    g()\n\nend\n");
    assert_shows("a\n\n***\n\nb", false, "a\n\n────────────────────────────────────────\n\nb\n");
    assert_shows("| n | name |\n|---|---|\n| 1 | größe |\n| 22 |", false,
                 "n   name\n──  ─────\n1   größe\n22  \n");
}

static void spans_use_attributes_that_end(void **state)
{
    (void)state;
    assert_shows("a **b** *c* `d` ~~e~~", true,
                 "a \x1b[0;1mb\x1b[0m \x1b[0;3mc\x1b[0m \x1b[0;36md\x1b[0m \x1b[0;9me\x1b[0m\n");
    assert_shows("**a *b* c**", true, "\x1b[0;1ma \x1b[0;1;3mb\x1b[0;1m c\x1b[0m\n");
    assert_shows("a **b** *c* `d` &amp; &lt;x&gt;", false, "a b c d & <x>\n");
}

static void a_link_says_where_it_leads(void **state)
{
    (void)state;
    assert_shows("[here](https://x/y)", false, "here (https://x/y)\n");
    assert_shows("<https://x/y>", false, "https://x/y\n");
    assert_shows("[https://good](https://evil)", false, "https://good (https://evil)\n");
    assert_shows("![plot](sandbox:/mnt/data/a.png)", false, "plot (sandbox:/mnt/data/a.png)\n");
}

static void what_could_move_a_terminal_is_spelled_out(void **state)
{
    (void)state;
    static const char *const texts[] = {"a \x1b[2J b",
                                        "`\x1b]52;c;x\x07`",
                                        "```\n\x1b[31m\n```",
                                        "[x](http://a\x1b[1m)",
                                        "| a |\n|---|\n| \x1b[2J |",
                                        "<b>\x1b[2J</b>",
                                        "a\xe2\x80\xae"
                                        "b",
                                        "\xc2\x9b"
                                        "2J",
                                        "\xff\xfe"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        AUTO_BUF struct buf out = {0};
        markdown_render(texts[i], strlen(texts[i]), false, &out);
        for (size_t k = 0; k < out.length; k++)
            assert_true((unsigned char)out.data[k] >= 0x20 || out.data[k] == '\n');
        assert_null(strstr(out.data, "\xe2\x80\xae"));
        assert_null(strstr(out.data, "\xc2\x9b"));
    }
}

static void a_block_is_shown_when_it_is_complete(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct markdown_stream stream = {0};
    markdown_feed(&stream, "one", 3, &out);
    assert_int_equal(out.length, 0);
    markdown_feed(&stream, "\n\n```\na\n\n", 9, &out);
    assert_string_equal(out.data, "one\n");
    markdown_feed(&stream, "b\n```\n\n", 7, &out);
    assert_string_equal(out.data, "one\n\n    a\n    \n    b\n");
    markdown_finish(&stream, &out);
}

static void the_same_text_looks_the_same_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] = "# H\n\nA **b**\n\n- x\n- y\n\n~~~\n# no\n\n~~~\n\n| a | b "
                               "|\n|--|--|\n| 1 | 2 |\n\n> größe\n";
    AUTO_BUF struct buf whole = {0};
    markdown_render(text, strlen(text), true, &whole);
    for (size_t piece = 1; piece < 9; piece++) {
        AUTO_BUF struct buf out = {0};
        struct markdown_stream stream = {.with_colours = true};
        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t left = strlen(text) - at;
            markdown_feed(&stream, text + at, left < piece ? left : piece, &out);
        }
        markdown_finish(&stream, &out);
        assert_string_equal(out.data, whole.data);
    }
}

static void a_block_beyond_the_limit_is_shown_as_it_is_written(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = {0};
    AUTO_BUF struct buf out = {0};
    while (text.length <= MARKDOWN_BLOCK_BYTES_MAX)
        buf_append_text(&text, "**a** ");
    markdown_render(text.data, text.length, false, &out);
    assert_true(out.length == text.length && memcmp(out.data, text.data, text.length) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_look_like_what_they_are),
        cmocka_unit_test(spans_use_attributes_that_end),
        cmocka_unit_test(a_link_says_where_it_leads),
        cmocka_unit_test(what_could_move_a_terminal_is_spelled_out),
        cmocka_unit_test(a_block_is_shown_when_it_is_complete),
        cmocka_unit_test(the_same_text_looks_the_same_in_any_pieces),
        cmocka_unit_test(a_block_beyond_the_limit_is_shown_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
