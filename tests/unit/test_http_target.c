#include "base/http/http_target.h"

#include "base/core/buf.h"
#include "tests/support/unit.h"

/* "a|b?n=v&n=v": what a target was taken for. */
static const char *describe(const char *raw, struct buf *out)
{
    struct http_target target;
    struct error err = {0};
    buf_clear(out);
    if (http_target_parse(raw, strlen(raw), &target, &err) < 0) {
        buf_append_text(out, err.code == ERROR_INVALID ? "invalid" : "limit");
        return out->data;
    }
    buf_append_text(out, "");
    for (size_t i = 0; i < target.segment_count; i++)
        buf_printf(out, "%s%s", i ? "|" : "", target.segments[i]);
    for (size_t i = 0; i < target.parameter_count; i++)
        buf_printf(out, "%s%s=%s", i ? "&" : "?", target.names[i], target.values[i]);
    http_target_clear(&target);
    return out->data;
}

static void targets_are_taken_apart_and_decoded_once(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *expected;
    } cases[] = {
        {"/", ""},
        {"/subscriptions//s/executions?identifier=a%20b",
         "subscriptions|s|executions?identifier=a b"},
        {"/a/", "a"},
        {"/a%2Fb", "a/b"},
        {"/a+b?c=d+e", "a+b?c=d+e"},
        {"/%2561", "%61"},
        {"/a?b", "a?b="},
        {"/a?b=c=d&&e=f?g", "a?b=c=d&e=f?g"},
        {"http://host:1/a?b=c", "a?b=c"},
        {"HTTPS://host", ""},
        {"http://host?a=b", "?a=b"},
        {"/%2e%2e/a", "invalid"},
        {"/a/./b", "invalid"},
        {"/a/..", "invalid"},
        {"/.../..a", "...|..a"},
        {"/%00", "invalid"},
        {"/%ff", "invalid"},
        {"/%zz", "invalid"},
        {"/a?b=%", "invalid"},
        {"", "invalid"},
        {"*", "invalid"},
        {"a/b", "invalid"},
    };
    AUTO_BUF struct buf out = {0};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(describe(cases[i].raw, &out), cases[i].expected);
}

static void segments_and_parameters_are_counted(void **state)
{
    (void)state;
    AUTO_BUF struct buf raw = {0};
    AUTO_BUF struct buf out = {0};
    for (int i = 0; i < HTTP_TARGET_SEGMENTS_MAX; i++)
        buf_append_text(&raw, "/a");
    assert_string_not_equal(describe(raw.data, &out), "limit");
    buf_append_text(&raw, "/a");
    assert_string_equal(describe(raw.data, &out), "limit");

    buf_clear(&raw);
    buf_append_text(&raw, "/?a");
    for (int i = 1; i < HTTP_TARGET_PARAMETERS_MAX; i++)
        buf_append_text(&raw, "&a");
    assert_string_not_equal(describe(raw.data, &out), "limit");
    buf_append_text(&raw, "&a");
    assert_string_equal(describe(raw.data, &out), "limit");
}

static void parameters_are_found_in_any_case_and_counted(void **state)
{
    (void)state;
    static const char raw[] = "/?Api-Version=1&identifier=x&api-version=2";
    struct http_target target;
    assert_int_equal(http_target_parse(raw, strlen(raw), &target, NULL), 0);
    assert_string_equal(http_target_parameter(&target, "api-version"), "1");
    assert_int_equal(http_target_parameter_count(&target, "API-VERSION"), 2);
    assert_null(http_target_parameter(&target, "path"));
    http_target_clear(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart_and_decoded_once),
        cmocka_unit_test(segments_and_parameters_are_counted),
        cmocka_unit_test(parameters_are_found_in_any_case_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
