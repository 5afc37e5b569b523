#include <stdio.h>
#include <stdlib.h>

#include "agent/pool/value.h"
#include "tests/support/unit.h"

static void values_show_as_a_notebook_shows_them(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        enum value_kind kind;
        const char *shown;
    } cases[] = {
        {"\"\"", VALUE_NOTHING, ""},
        {"null", VALUE_NOTHING, ""},
        {"2", VALUE_TEXT, "2"},
        {"0.1", VALUE_TEXT, "0.1"},
        {"[1, 2, 3]", VALUE_TEXT, "[1, 2, 3]"},
        {"[1,\n 2]", VALUE_TEXT, "[1,\n 2]"},
        {"123456789012345678901234567890", VALUE_TEXT, "123456789012345678901234567890"},
        {"[1e999, 123456789012345678901]", VALUE_TEXT, "[1e999, 123456789012345678901]"},
        {"\"'abc'\"", VALUE_TEXT, "'abc'"},
        {"\"{'a': 1}\"", VALUE_TEXT, "{'a': 1}"},
        {"\"True\"", VALUE_TEXT, "True"},
        {"\"a\\nb\\u00e9\\ud83d\\ude00\"", VALUE_TEXT, "a\nb\xc3\xa9\xf0\x9f\x98\x80"},
        {"{}", VALUE_TEXT, "{}"},
        {"{\"type\":\"image\",\"format\":\"png\",\"base64_data\":\"aGVsbG8=\"}", VALUE_IMAGE,
         "hello"},
        {"{\"type\":\"image\",\"format\":\"exe\",\"base64_data\":\"aGVsbG8=\"}", VALUE_TEXT,
         "{\"type\":\"image\",\"format\":\"exe\",\"base64_data\":\"aGVsbG8=\"}"},
        {"{\"type\":\"image\",\"format\":\"png\"}", VALUE_TEXT,
         "{\"type\":\"image\",\"format\":\"png\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct value value;
        assert_int_equal(value_read(cases[i].raw, strlen(cases[i].raw), &value, NULL), 0);
        if (value.kind != cases[i].kind)
            fail_msg("%s is of kind %d", cases[i].raw, (int)value.kind);
        assert_int_equal(value.length, strlen(cases[i].shown));
        if (value.length > 0)
            assert_string_equal(value.data, cases[i].shown);
        value_clear(&value);
    }
}

static void a_nul_in_a_value_is_kept(void **state)
{
    (void)state;
    struct value value;

    assert_int_equal(value_read("\"a\\u0000b\"", 10, &value, NULL), 0);

    assert_int_equal(value.length, 3);
    assert_memory_equal(value.data, "a\0b", 4);
    value_clear(&value);
}

static void no_value_is_nothing(void **state)
{
    (void)state;
    struct value value;

    assert_int_equal(value_read(NULL, 0, &value, NULL), 0);

    assert_int_equal(value.kind, VALUE_NOTHING);
}

static void an_image_that_is_not_base64_is_an_error(void **state)
{
    (void)state;
    static const char *const images[] = {"%%%%", "aGVsbG8", "", "a"};
    for (size_t i = 0; i < COUNT(images); i++) {
        char raw[128];
        struct value value;
        struct error err = {0};
        snprintf(raw, sizeof raw, "{\"type\":\"image\",\"format\":\"png\",\"base64_data\":\"%s\"}",
                 images[i]);

        assert_int_equal(value_read(raw, strlen(raw), &value, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        value_clear(&value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_show_as_a_notebook_shows_them),
        cmocka_unit_test(a_nul_in_a_value_is_kept),
        cmocka_unit_test(no_value_is_nothing),
        cmocka_unit_test(an_image_that_is_not_base64_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
