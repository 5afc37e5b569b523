#include "base/http/sse.h"

#include "base/http/accept.h"
#include "tests/support/unit.h"

static void each_line_of_the_data_is_a_line_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *data, *text;
    } cases[] = {
        {"", "event: e\ndata: \n\n"},
        {"{\"text\":\"a\"}", "event: e\ndata: {\"text\":\"a\"}\n\n"},
        {"[1,\n 2]", "event: e\ndata: [1,\ndata:  2]\n\n"},
        {"a\r\nb\rc\n", "event: e\ndata: a\ndata: b\ndata: c\ndata: \n\n"},
        {"a\n\nevent: forged", "event: e\ndata: a\ndata: \ndata: event: forged\n\n"},
        {": a", "event: e\ndata: : a\n\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf out = {0};
        assert_true(sse_write_event(&out, "e", cases[i].data, strlen(cases[i].data)));
        assert_string_equal(out.data, cases[i].text);
    }
}

static void an_event_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {.limit = 24};
    assert_true(sse_write_comment(&out, "a"));
    assert_false(sse_write_event(&out, "e", "0123456789", 10));
    assert_string_equal(out.data, ": a\n\n");
    assert_true(sse_write_event(&out, "e", "", 0));
}

static void a_cut_never_falls_inside_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"a\xC3\xA9", 3},         /* e with an acute accent, whole */
        {"a\xC3", 1},             /* half of it */
        {"a\xE2\x82", 1},         /* two thirds of the euro sign */
        {"a\xE2\x82\xAC", 4},     /* the whole of it */
        {"a\xF0\x9F\x98", 1},     /* three quarters of a face */
        {"a\xF0\x9F\x98\x80", 5}, /* a face */
        {"a\x80\x80\x80\x80", 5}, /* no character begins here */
        {"a\xFF", 2},             /* nor here */
        {"a\xC0", 2},             /* nor so */
        {"\xE2", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(sse_cut(cases[i].bytes, strlen(cases[i].bytes)), cases[i].length);
}

static void what_is_accepted_is_told_by_the_closest_range(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        enum accept_match events, json;
    } cases[] = {
        {NULL, ACCEPT_BY_RANGE, ACCEPT_BY_RANGE},
        {"", ACCEPT_BY_RANGE, ACCEPT_BY_RANGE},
        {"*/*", ACCEPT_BY_RANGE, ACCEPT_BY_RANGE},
        {"text/event-stream", ACCEPT_BY_NAME, ACCEPT_NOT},
        {"Text/Event-Stream;charset=utf-8", ACCEPT_BY_NAME, ACCEPT_NOT},
        {"application/json, text/event-stream", ACCEPT_BY_NAME, ACCEPT_BY_NAME},
        {"application/json", ACCEPT_NOT, ACCEPT_BY_NAME},
        {"text/event-stream, */*", ACCEPT_BY_NAME, ACCEPT_BY_RANGE},
        {"text/*", ACCEPT_BY_RANGE, ACCEPT_NOT},
        {"text/event-stream;q=0, */*", ACCEPT_NOT, ACCEPT_BY_RANGE},
        {"text/event-stream; q=0.5 , application/*;q=0", ACCEPT_BY_NAME, ACCEPT_NOT},
        {"*/*, application/json; q=0.000", ACCEPT_BY_RANGE, ACCEPT_NOT},
        {"application/json;q=0, */*, text/event-stream", ACCEPT_BY_NAME, ACCEPT_NOT},
        {"*/*;q=0, text/*", ACCEPT_BY_RANGE, ACCEPT_NOT},
        {"text/event-streams", ACCEPT_NOT, ACCEPT_NOT},
        {"text/event", ACCEPT_NOT, ACCEPT_NOT},
        {",;,text/event-stream", ACCEPT_BY_NAME, ACCEPT_NOT},
        {"text/event-stream;q=", ACCEPT_BY_NAME, ACCEPT_NOT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (accept_find(cases[i].accept, "text/event-stream") != cases[i].events ||
            accept_find(cases[i].accept, "application/json") != cases[i].json)
            fail_msg("%s", cases[i].accept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_the_data_is_a_line_of_its_own),
        cmocka_unit_test(an_event_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(a_cut_never_falls_inside_a_character),
        cmocka_unit_test(what_is_accepted_is_told_by_the_closest_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
