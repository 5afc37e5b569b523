#include "base/core/text.h"

#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/identifier.h"
#include "tests/support/unit.h"

static void numbers_are_digits_within_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"", false, 0},
        {"+5", false, 0},
        {" 5", false, 0},
        {"5\n", false, 0},
        {"0x5", false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 99;
        assert_int_equal(text_parse_u64(cases[i].text, &value), cases[i].valid);
        assert_int_equal(value, cases[i].valid ? cases[i].value : 99);
    }
}

static void characters_are_counted_and_not_bytes(void **state)
{
    (void)state;
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC";
    static const struct {
        int64_t most;
        size_t bytes;
        int64_t count;
    } cases[] = {{0, 0, 0}, {1, 1, 1}, {2, 3, 2}, {3, 6, 3}, {9, 6, 3}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t count = 99;
        assert_int_equal(text_first_characters(text, sizeof text - 1, cases[i].most, &count),
                         cases[i].bytes);
        assert_int_equal(count, cases[i].count);
    }
}

static void utf8_is_judged_by_rfc_3629(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", true},
        {"\xF4\x8F\xBF\xBF", true},  /* U+10FFFF */
        {"\xF4\x90\x80\x80", false}, /* one more */
        {"\xC0\xAF", false},         /* overlong */
        {"\xE0\x80\xAF", false},     /* overlong */
        {"\xED\xA0\x80", false},     /* a surrogate */
        {"\xC3", false},             /* cut off */
        {"\x80", false},
        {"\xFF", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(text_is_utf8(cases[i].text, strlen(cases[i].text)), cases[i].valid);
}

static void ill_formed_bytes_become_replacement_characters(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    assert_true(text_append_utf8_lossy(&out,
                                       "a\xFF"
                                       "b\xC3",
                                       4));
    assert_string_equal(out.data, "a\xEF\xBF\xBD"
                                  "b\xEF\xBF\xBD");
}

static void percent_escapes_are_decoded_once(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *decoded; /* NULL: refused */
    } cases[] = {
        {"a%20b", "a b"}, {"a+b", "a+b"}, {"%2525", "%25"}, {"%c3%A4", "\xC3\xA4"}, {"", ""},
        {"%", NULL},      {"%4", NULL},   {"%zz", NULL},    {"%00", NULL},          {"%ff", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf out = {0};
        struct error err = {0};
        int outcome = text_percent_decode(cases[i].text, strlen(cases[i].text), &out, &err);
        assert_int_equal(outcome, cases[i].decoded ? 0 : -1);
        if (cases[i].decoded)
            assert_string_equal(out.data, cases[i].decoded);
        else
            assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void decoding_stops_at_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {.limit = 4};
    struct error err = {0};
    assert_int_equal(text_percent_decode("abc%64", 6, &out, &err), 0);
    assert_int_equal(text_percent_decode("abcd%65", 7, &out, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void encoding_keeps_what_it_is_told(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    assert_true(text_percent_encode(&out, "a/b c%\0", 7, "/"));
    assert_string_equal(out.data, "a/b%20c%25%00");
}

static void times_have_seven_digits_and_are_utc(void **state)
{
    (void)state;
    char text[TEXT_TIME_MAX];
    text_format_time(1731315902, 486529300, text);
    assert_string_equal(text, "2024-11-11T09:05:02.4865293Z");
    text_format_time(0, -1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.0000000Z");
}

static void identifiers_are_4_to_128_printable_characters(void **state)
{
    (void)state;
    static const char longest[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"demo-1", true},           {"test", true},       {"abc", false},
        {"user@example.com", true}, {"../../etc", true}, /* legal: it is a table key and never
                                                            becomes a path */
        {"two words", false},       {"tab\there", false}, {"caf\xC3\xA9", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(identifier_is_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_true(identifier_is_valid(longest, IDENTIFIER_LENGTH_MAX));
    char too_long[IDENTIFIER_LENGTH_MAX + 1];
    memset(too_long, 'a', sizeof too_long);
    assert_false(identifier_is_valid(too_long, sizeof too_long));
}

static void a_descriptor_is_read_to_its_end_and_no_further_than_allowed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    AUTO_CLOSE int reader = ends[0];
    assert_int_equal(write(ends[1], "hello", 5), 5);
    close(ends[1]);
    struct error err = {0};
    size_t length = 0;
    AUTO_FREE char *text = text_read_all(reader, 5, &length, &err);
    assert_string_equal(text, "hello");
    assert_int_equal(length, 5);

    assert_int_equal(pipe(ends), 0);
    AUTO_CLOSE int second = ends[0];
    assert_int_equal(write(ends[1], "hello!", 6), 6);
    close(ends[1]);
    assert_null(text_read_all(second, 5, NULL, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void secrets_are_compared_whole(void **state)
{
    (void)state;
    assert_true(text_equal_constant_time("abc", 3, "abc", 3));
    assert_false(text_equal_constant_time("abc", 3, "abd", 3));
    assert_false(text_equal_constant_time("abc", 3, "abcd", 4));
    assert_true(text_equal_constant_time("", 0, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_within_64_bits),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(utf8_is_judged_by_rfc_3629),
        cmocka_unit_test(ill_formed_bytes_become_replacement_characters),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(decoding_stops_at_the_limit),
        cmocka_unit_test(encoding_keeps_what_it_is_told),
        cmocka_unit_test(times_have_seven_digits_and_are_utc),
        cmocka_unit_test(identifiers_are_4_to_128_printable_characters),
        cmocka_unit_test(a_descriptor_is_read_to_its_end_and_no_further_than_allowed),
        cmocka_unit_test(secrets_are_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
