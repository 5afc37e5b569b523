#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/link/capture.h"

static void check(struct capture *capture, const char *expected)
{
    AUTO_BUF struct buf out = {0};
    capture_write(capture, &out);
    assert_string_equal(out.data ? out.data : "", expected);
    capture_close(capture);
}

static struct capture capture_of(size_t limit, const char *text, size_t step)
{
    struct capture capture;
    capture_open(&capture, limit);
    for (size_t at = 0, length = strlen(text); at < length; at += step)
        capture_append(&capture, text + at, length - at < step ? length - at : step);
    return capture;
}

static void everything_up_to_the_limit_is_kept(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 9; step++) {
        struct capture capture = capture_of(9, "123456789", step);
        check(&capture, "123456789");
    }
    struct capture empty = capture_of(9, "", 1);
    check(&empty, "");
}

static void one_byte_more_leaves_out_the_middle(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 10; step++) {
        struct capture capture = capture_of(8, "123456789", step);
        check(&capture, "1234\n[1 bytes of output are left out here]\n6789");
    }
}

static void the_end_of_a_long_stream_is_kept(void **state)
{
    (void)state;
    struct capture capture;
    capture_open(&capture, 6);
    for (int i = 0; i < 1000; i++)
        capture_append(&capture, "abcdefg", 7);
    check(&capture, "abc\n[6994 bytes of output are left out here]\nefg");
}

/* Reads on from `at`; returns where that leads. */
static uint64_t read_on(const struct capture *capture, uint64_t at, size_t room,
                        const char *expected, uint64_t missing)
{
    char data[32] = "";
    size_t length = 0;
    uint64_t start = capture_read(capture, at, data, room, &length);
    assert_int_equal(start - at, missing);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(data, expected, length);
    return start + length;
}

static void a_stream_is_read_while_it_grows(void **state)
{
    (void)state;
    struct capture capture;
    capture_open(&capture, 8); /* four in the head, four in the ring */
    uint64_t at = read_on(&capture, 0, 32, "", 0);
    capture_append(&capture, "ab", 2);
    at = read_on(&capture, at, 32, "ab", 0);
    at = read_on(&capture, at, 32, "", 0);
    capture_append(&capture, "cdef", 4);
    at = read_on(&capture, at, 3, "cde", 0); /* out of both halves */
    capture_append(&capture, "gh", 2);
    at = read_on(&capture, at, 32, "fgh", 0);
    capture_append(&capture, "ijk", 3); /* the ring has gone round */
    at = read_on(&capture, at, 1, "i", 0);
    read_on(&capture, at, 32, "jk", 0);
    capture_close(&capture);
}

static void what_is_not_kept_is_passed_over(void **state)
{
    (void)state;
    struct capture capture = capture_of(8, "0123456789ABCDEF", 5);
    uint64_t at = read_on(&capture, 1, 32, "123", 0); /* up to the gap */
    at = read_on(&capture, at, 32, "CDEF", 8);
    assert_int_equal(at, 16);
    assert_int_equal(read_on(&capture, 9, 2, "CD", 3), 14);
    assert_int_equal(read_on(&capture, 13, 32, "DEF", 0), 16);
    capture_close(&capture);
}

static void a_character_across_both_halves_stays_whole(void **state)
{
    (void)state;
    struct capture capture = capture_of(6, "ab\xE2\x82\xAC!", 1);
    check(&capture, "ab\xE2\x82\xAC!");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    struct capture capture = capture_of(100,
                                        "a\xFF"
                                        "b",
                                        1);
    check(&capture, "a\xEF\xBF\xBD"
                    "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_up_to_the_limit_is_kept),
        cmocka_unit_test(one_byte_more_leaves_out_the_middle),
        cmocka_unit_test(the_end_of_a_long_stream_is_kept),
        cmocka_unit_test(a_stream_is_read_while_it_grows),
        cmocka_unit_test(what_is_not_kept_is_passed_over),
        cmocka_unit_test(a_character_across_both_halves_stays_whole),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
