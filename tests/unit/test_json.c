#include "base/json/json.h"

#include "base/core/buf.h"
#include "base/json/writer.h"
#include "tests/support/unit.h"

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    assert_int_equal(json_parse(text, strlen(text), JSON_BYTES_MAX, &value, NULL), 0);
    return value;
}

static void hostile_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *word;
    } cases[] = {
        {"", "empty"},
        {"{", "line 1"},
        {"{\"a\":\n 1,\n \"a\": 2}", "line 3, column 4: duplicate"},
        {"{\"a\":\"\\u0000\"}", "line 1"},
        {"{\"a\":\"\\ud800\"}", "line 1"},
        {"{\"a\":1}x", "line 1"},
        {"{\"a\":NaN}", "line 1"},
        {"{\"a\":\"\xFF\"}", "line"},
        {"{\"a\":123456789012345678901234567890}", "line 1"},
        {"2", "line 1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *value = NULL;
        struct error err = {0};
        assert_int_equal(
            json_parse(cases[i].text, strlen(cases[i].text), JSON_BYTES_MAX, &value, &err), -1);
        assert_error(err, ERROR_INVALID, cases[i].word);
        assert_null(strstr(err.message, "JSON_ALLOW_NUL"));
    }
    json_t *value = NULL;
    assert_int_equal(json_parse("{\"a\":\"\0\"}", 9, JSON_BYTES_MAX, &value, NULL), -1);
    assert_int_equal(json_parse("{}\0{}", 5, JSON_BYTES_MAX, &value, NULL), -1);
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    AUTO_JSON json_t *value = parse("\xEF\xBB\xBF{\"a\":1}");
    assert_true(json_is_object(value));
}

static void nesting_bytes_and_values_have_limits(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = {0};
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_append_text(&text, "[");
    buf_append_text(&text, "\"[[[\"");
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_append_text(&text, "]");
    AUTO_JSON json_t *value = NULL;
    struct error err = {0};
    assert_int_equal(json_parse(text.data, text.length, text.length, &value, &err), 0);
    AUTO_JSON json_t *other = NULL;
    assert_int_equal(json_parse(text.data, text.length, text.length - 1, &other, &err), -1);
    assert_error(err, ERROR_LIMIT, "longer");

    AUTO_BUF struct buf deeper = {0};
    buf_printf(&deeper, "[%s]", text.data);
    assert_int_equal(json_parse(deeper.data, deeper.length, JSON_BYTES_MAX, &other, &err), -1);
    assert_error(err, ERROR_INVALID, "64 levels");

    buf_clear(&text);
    buf_append_text(&text, "[0");
    for (int i = 2; i < JSON_VALUES_MAX; i++)
        buf_append_text(&text, ",0");
    buf_append_text(&text, "]");
    assert_int_equal(json_parse(text.data, text.length, JSON_BYTES_MAX, &other, &err), 0);
    text.length--;
    buf_append_text(&text, ",0]");
    AUTO_JSON json_t *third = NULL;
    assert_int_equal(json_parse(text.data, text.length, JSON_BYTES_MAX, &third, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void errors_name_the_path(void **state)
{
    (void)state;
    AUTO_JSON json_t *value = parse("{\"s\":1,\"i\":\"x\",\"b\":0,\"o\":[],\"a\":{},\"n\":null}");
    struct error err = {0};
    const char *text = NULL;
    int64_t number = 0;
    bool flag = false;
    json_t *inner = NULL;
    assert_int_equal(json_get_text(value, "pools[0]", "s", &text, &err), -1);
    assert_string_equal(err.message, "pools[0].s: must be a string");
    assert_int_equal(json_get_text(value, "", "n", &text, &err), -1);
    assert_string_equal(err.message, "n: is required and must be a string");
    assert_int_equal(json_get_integer(value, "p", "i", 1, 9, &number, &err), -1);
    assert_string_equal(err.message, "p.i: must be an integer from 1 to 9");
    assert_int_equal(json_get_boolean_optional(value, "", "b", &flag, &err), -1);
    assert_string_equal(err.message, "b: must be true or false");
    assert_int_equal(json_get_object_optional(value, "", "o", &inner, &err), -1);
    assert_int_equal(json_get_array_optional(value, "", "a", &inner, &err), -1);
    assert_string_equal(err.message, "a: must be an array");
}

static void integers_may_be_strings_of_digits_and_have_bounds(void **state)
{
    (void)state;
    AUTO_JSON json_t *value =
        parse("{\"a\":\"300\",\"b\":300,\"c\":301,\"d\":2.5,\"e\":\"-1\",\"f\":null}");
    int64_t number = 7;
    assert_int_equal(json_get_integer(value, "", "a", 0, 300, &number, NULL), 0);
    assert_int_equal(number, 300);
    assert_int_equal(json_get_integer(value, "", "b", 300, 300, &number, NULL), 0);
    assert_int_equal(json_get_integer(value, "", "c", 0, 300, &number, NULL), -1);
    assert_int_equal(json_get_integer(value, "", "d", 0, 300, &number, NULL), -1);
    assert_int_equal(json_get_integer(value, "", "e", -5, 300, &number, NULL), -1);
    number = 7;
    assert_int_equal(json_get_integer_optional(value, "", "f", 0, 1, &number, NULL), 0);
    assert_int_equal(json_get_integer_optional(value, "", "none", 0, 1, &number, NULL), 0);
    assert_int_equal(number, 7);
}

static void unknown_members_are_named(void **state)
{
    (void)state;
    AUTO_JSON json_t *value = parse("{\"image\":1,\"colour\":2}");
    struct error err = {0};
    static const char *const known[] = {"image", "policy", NULL};
    assert_int_equal(json_refuse_unknown(value, "sandpool", known, &err), -1);
    assert_string_equal(err.message,
                        "sandpool.colour: is not a known member; known are image, policy");
}

static void members_are_found_in_any_case(void **state)
{
    (void)state;
    AUTO_JSON json_t *value = parse("{\"coolDownPeriodInSeconds\":5}");
    assert_int_equal(json_integer_value(json_get_any_case(value, "cooldownPeriodInSeconds")), 5);
    assert_null(json_get_any_case(value, "cooldown"));
}

static void only_output_may_hold_nuls(void **state)
{
    (void)state;
    static const char text[] = "{\"stdout\":\"a\\u0000b\"}";
    AUTO_JSON json_t *value = NULL;
    const char *got = NULL;
    struct error err = {0};
    assert_int_equal(json_parse_with_nuls(text, strlen(text), 99, &value, &err), 0);
    assert_int_equal(json_string_length(json_object_get(value, "stdout")), 3);
    assert_int_equal(json_get_text(value, "", "stdout", &got, &err), -1);
    assert_error(err, ERROR_INVALID, "NUL");
}

static void every_control_character_is_escaped(void **state)
{
    (void)state;
    static const char wanted[] = "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t"
                                 "\\n\\u000b\\f\\r\\u000e\\u000f"
                                 "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\"
                                 "u0019\\u001a\\u001b\\u001c"
                                 "\\u001d\\u001e\\u001f !\\\"\\\\\x7f\"";
    char text[0x20 + 5];
    for (size_t i = 0; i < 0x20; i++)
        text[i] = (char)i;
    memcpy(text + 0x20, " !\"\\\x7f", 5);
    AUTO_BUF struct buf out = {0};
    struct writer writer = writer_begin(&out, false);
    writer_text(&writer, NULL, text, sizeof text);
    assert_int_equal(writer_finish(&writer, NULL), 0);
    assert_string_equal(out.data, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_texts_are_refused_with_their_place),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(nesting_bytes_and_values_have_limits),
        cmocka_unit_test(errors_name_the_path),
        cmocka_unit_test(integers_may_be_strings_of_digits_and_have_bounds),
        cmocka_unit_test(unknown_members_are_named),
        cmocka_unit_test(members_are_found_in_any_case),
        cmocka_unit_test(only_output_may_hold_nuls),
        cmocka_unit_test(every_control_character_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
