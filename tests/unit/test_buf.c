#include "base/core/buf.h"

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static void text_is_appended_and_terminated(void **state)
{
    (void)state;
    AUTO_BUF struct buf buf = {0};
    assert_true(buf_append_text(&buf, "abc"));
    assert_true(buf_printf(&buf, "-%d", 42));
    assert_string_equal(buf.data, "abc-42");
    assert_int_equal(buf.length, 6);
}

static void a_full_buffer_stays_as_it_was(void **state)
{
    (void)state;
    AUTO_BUF struct buf buf = {.limit = 4};
    assert_true(buf_append_text(&buf, "abcd"));
    assert_false(buf_append_text(&buf, "e"));
    assert_false(buf_printf(&buf, "%d", 1));
    assert_null(buf_reserve(&buf, 1));
    assert_string_equal(buf.data, "abcd");
}

static void a_length_that_wraps_around_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf buf = {0};
    assert_true(buf_append_text(&buf, "abcd"));
    assert_null(buf_reserve(&buf, SIZE_MAX));
}

static void the_front_can_be_consumed(void **state)
{
    (void)state;
    AUTO_BUF struct buf buf = {0};
    buf_append_text(&buf, "abcdef");
    buf_consume(&buf, 2);
    assert_string_equal(buf.data, "cdef");
    buf_consume(&buf, 99);
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
}

static void what_is_taken_is_never_null(void **state)
{
    (void)state;
    struct buf buf = {0};
    AUTO_FREE char *empty = buf_take(&buf);
    assert_string_equal(empty, "");
    buf_append_text(&buf, "x");
    AUTO_FREE char *text = buf_take(&buf);
    assert_string_equal(text, "x");
    assert_null(buf.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_appended_and_terminated),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(a_length_that_wraps_around_is_refused),
        cmocka_unit_test(the_front_can_be_consumed),
        cmocka_unit_test(what_is_taken_is_never_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
