#include <stdlib.h>

#include "agent/screen/listing.h"
#include "agent/screen/terminal.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static void hostile_bytes_are_spelled_out(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        const char *text;
        const char *line;
        const char *name;
    } cases[] = {
        {"plain", "plain", "plain", "plain"},
        {"a\n\tb", "a\n\tb", "a\\n\\tb", "a\\n\\tb"},
        {"a\\n", "a\\n", "a\\n", "a\\\\n"},
        {"\x1b]0;x\x07", "\\x1b]0;x\\x07", "\\x1b]0;x\\x07", "\\x1b]0;x\\x07"},
        {"50%\r60%", "50%\\r60%", "50%\\r60%", "50%\\r60%"},
        {"\x7f", "\\x7f", "\\x7f", "\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m", "\\u009b31m", "\\u009b31m"}, /* C1 CSI */
        {"\x9b"
         "31m",
         "\\x9b31m", "\\x9b31m", "\\x9b31m"}, /* the raw byte */
        {"\xe2\x80\xae"
         "gnp.exe",
         "\\u202egnp.exe", "\\u202egnp.exe", "\\u202egnp.exe"},
        {"\xe2\x81\xa6", "\\u2066", "\\u2066", "\\u2066"},                 /* isolate */
        {"\xf3\xa0\x81\x81", "\\U000e0041", "\\U000e0041", "\\U000e0041"}, /* tag */
        {"caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
         "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80"},
        {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf", "\\xc0\\xaf"}, /* overlong */
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", "\\xe0\\x9f\\xbf", "\\xe0\\x9f\\xbf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80",
         "\\xf4\\x90\\x80\\x80"},
        {"\xe2\x82", "\\xe2\\x82", "\\xe2\\x82", "\\xe2\\x82"}, /* cut */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *expected[] = {cases[i].text, cases[i].line, cases[i].name};
        for (int form = TERMINAL_TEXT; form <= TERMINAL_NAME; form++) {
            AUTO_BUF struct buf out = {0};
            size_t length = strlen(cases[i].data);
            assert_int_equal(
                terminal_escape(&out, cases[i].data, length, (enum terminal_escape)form, true),
                length);
            assert_string_equal(out.data, expected[form]);
        }
    }
}

static void a_nul_is_spelled_out(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};

    terminal_escape(&out, "a\0b", 3, TERMINAL_TEXT, true);

    assert_string_equal(out.data, "a\\x00b");
}

/* Whatever pieces a text comes in, the terminal shows the same. */
static void characters_split_between_pieces_stay_whole(void **state)
{
    (void)state;
    static const char text[] = "\xf0\x9f\x98\x80\xe2\x80\xae\xc3\xa9\x1b\xe2\x82";
    static const char expected[] = "\xf0\x9f\x98\x80\\u202e\xc3\xa9\\x1b\\xe2\\x82";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        AUTO_FREE char *shown = NULL;
        size_t shown_length;
        struct terminal terminal = {.file = open_memstream(&shown, &shown_length), .escapes = true};
        for (size_t at = 0; at < sizeof text - 1; at += piece) {
            size_t left = sizeof text - 1 - at;
            assert_int_equal(
                terminal_write(&terminal, text + at, left < piece ? left : piece, NULL), 0);
        }
        assert_int_equal(terminal_finish(&terminal, NULL), 0);
        fclose(terminal.file);
        assert_string_equal(shown, expected);
    }
}

static void a_file_gets_the_bytes_as_they_are(void **state)
{
    (void)state;
    AUTO_FREE char *shown = NULL;
    size_t shown_length;
    struct terminal terminal = {.file = open_memstream(&shown, &shown_length)};

    assert_int_equal(terminal_write(&terminal, "\x1b\0\xff", 3, NULL), 0);
    assert_int_equal(terminal_finish(&terminal, NULL), 0);
    fclose(terminal.file);

    assert_int_equal(shown_length, 3);
    assert_memory_equal(shown, "\x1b\0\xff", 3);
}

static void a_listing_is_aligned_sorted_and_safe(void **state)
{
    (void)state;
    struct wire_file files[] = {
        {.name = (char *)"b\x1b[2J.txt", .size_bytes = 7, .modified_s = 1731315902},
        {.name = (char *)"inner", .directory = (char *)"sub", .size_bytes = 123456789},
        {.name = (char *)"a", .is_directory = true, .size_bytes = 4096, .modified_s = INT64_MAX},
    };
    struct wire_file_list list = {files, 3};
    AUTO_BUF struct buf out = {0};

    listing_format(&list, &out);

    assert_string_equal(out.data, "     SIZE  MODIFIED (UTC)       NAME\n"
                                  "     4096  ?                    a/\n"
                                  "        7  2024-11-11 09:05:02  b\\x1b[2J.txt\n"
                                  "123456789  1970-01-01 00:00:00  sub/inner\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_bytes_are_spelled_out),
        cmocka_unit_test(a_nul_is_spelled_out),
        cmocka_unit_test(characters_split_between_pieces_stay_whole),
        cmocka_unit_test(a_file_gets_the_bytes_as_they_are),
        cmocka_unit_test(a_listing_is_aligned_sorted_and_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
