#include "base/json/scan.h"

#include "base/core/buf.h"
#include "tests/support/unit.h"

static void json_is_judged_by_rfc_8259(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool strict;
    } cases[] = {
        {"2", true},
        {"-0.5e+10", true},
        {"123456789012345678901234567890", true},
        {" [1, 2,\n 3] ", true},
        {"{\"a\":{\"b\":[true,false,null]}}", true},
        {"\"\\u00e4\\ud83d\\ude00\\n\"", true},
        {"[]", true},
        {"{}", true},
        {"", false},
        {" ", false},
        {"NaN", false},
        {"nan", false},
        {"Infinity", false},
        {"'abc'", false},
        {"{'a': 1}", false},
        {"True", false},
        {"[1,]", false},
        {"[,1]", false},
        {"{\"a\":1,}", false},
        {"{\"a\"}", false},
        {"{1:2}", false},
        {"01", false},
        {"1.", false},
        {".5", false},
        {"+1", false},
        {"1e", false},
        {"- 1", false},
        {"1 2", false},
        {"[1", false},
        {"1]", false},
        {"[1}", false},
        {"\"a", false},
        {"\"\\x41\"", false},
        {"\"\\u12\"", false},
        {"\"\\ud83d\"", false},
        {"\"\\ude00\"", false},
        {"\"tab\there\"", false},
        {"\xEF\xBB\xBF{}", false},
        {"\"\xFF\"", false},
        {"/* */ 1", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (json_scan_is_strict(cases[i].text, strlen(cases[i].text)) != cases[i].strict)
            fail_msg("%s", cases[i].text);
    }
    assert_false(json_scan_is_strict("1\0", 2));
}

static void nesting_ends_at_64(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = {0};
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_append_text(&text, "[");
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_append_text(&text, "]");
    assert_true(json_scan_is_strict(text.data, text.length));

    AUTO_BUF struct buf deeper = {0};
    buf_printf(&deeper, "[%s]", text.data);
    assert_false(json_scan_is_strict(deeper.data, deeper.length));
}

static void a_member_is_found_with_its_text_as_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* NULL: missing or invalid */
        enum error_code code;
    } cases[] = {
        {"{\"a\": {\"b\" :  [1, 0.10] , \"c\": 2}}", "[1, 0.10]", ERROR_NONE},
        {"{\"x\":{\"b\":1},\"a\":{\"b\":\"}\"}}", "\"}\"", ERROR_NONE},
        {"{\"\\u0061\":{\"b\":1}}", NULL, ERROR_MISSING},
        {"{\"a\":{\"bb\":1,\"\":2}}", NULL, ERROR_MISSING},
        {"{\"a\":[{\"b\":1}]}", NULL, ERROR_MISSING},
        {"[{\"a\":{\"b\":1}}]", NULL, ERROR_MISSING},
        {"{\"a\":{}}", NULL, ERROR_MISSING},
        {"{}", NULL, ERROR_MISSING},
        {"{\"a\":{\"b\":1,\"b\":2}}", NULL, ERROR_INVALID},
        {"{\"a\":{\"b\":1},\"a\":{}}", NULL, ERROR_INVALID},
        {"{\"a\":{\"b\":1}", NULL, ERROR_INVALID},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *start = NULL;
        size_t length = 0;
        struct error err = {0};
        int outcome = json_scan_find(cases[i].text, strlen(cases[i].text),
                                     (const char *const[]){"a", "b", NULL}, &start, &length, &err);
        assert_int_equal(outcome, cases[i].value ? 0 : -1);
        assert_int_equal(err.code, cases[i].code);
        if (!cases[i].value)
            continue;
        assert_int_equal(length, strlen(cases[i].value));
        assert_memory_equal(start, cases[i].value, length);
    }
}

static void members_are_found_in_one_go(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", NULL};
    static const char text[] = " {\"b\": [1 , {\"a\":2}] ,\"x\":{\"c\":1},\"a\" : 1e400 } ";
    struct json_span values[3];
    assert_int_equal(json_scan_members(text, strlen(text), names, values, NULL), 0);
    assert_int_equal(values[0].length, 5);
    assert_memory_equal(values[0].start, "1e400", 5);
    assert_int_equal(values[1].length, 13);
    assert_memory_equal(values[1].start, "[1 , {\"a\":2}]", 13);
    assert_null(values[2].start);

    static const char *const bad[] = {"{\"a\":1,\"a\":2}", "[1]", "1", "{\"a\":1", ""};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error err = {0};
        assert_int_equal(json_scan_members(bad[i], strlen(bad[i]), names, values, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    assert_int_equal(json_scan_members("{}", 2, names, values, NULL), 0);
    assert_null(values[0].start);
}

static void items_are_found_up_to_a_number(void **state)
{
    (void)state;
    static const char text[] = " [ {\"a\": [1, 2]} ,\"]\",3 ] ";
    struct json_span items[3];
    size_t count = 0;
    struct error err = {0};
    assert_int_equal(json_scan_items(text, strlen(text), 3, items, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(items[0].length, 13);
    assert_memory_equal(items[1].start, "\"]\"", 3);
    assert_memory_equal(items[2].start, "3", 1);
    assert_int_equal(json_scan_items(" [ ] ", 5, 3, items, &count, &err), 0);
    assert_int_equal(count, 0);
    assert_int_equal(json_scan_items(text, strlen(text), 2, items, &count, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_int_equal(json_scan_items("{}", 2, 2, items, &count, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void keys_are_compared_after_simple_escapes(void **state)
{
    (void)state;
    static const char text[] = "{\"a\\\"b\\n\": 1}";
    const char *start;
    size_t length;
    assert_int_equal(json_scan_find(text, strlen(text), (const char *const[]){"a\"b\n", NULL},
                                    &start, &length, NULL),
                     0);
    assert_memory_equal(start, "1", length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_judged_by_rfc_8259),
        cmocka_unit_test(nesting_ends_at_64),
        cmocka_unit_test(a_member_is_found_with_its_text_as_it_was),
        cmocka_unit_test(members_are_found_in_one_go),
        cmocka_unit_test(items_are_found_up_to_a_number),
        cmocka_unit_test(keys_are_compared_after_simple_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
