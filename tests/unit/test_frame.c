#include "sandboxd/control/frame.h"

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static void a_frame_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_HEADER_BYTES + 5];
    frame_encode_header(FRAME_DONE, 0x1122334455667788, bytes);
    memcpy(bytes + FRAME_HEADER_BYTES, "hello", 5);
    struct frame frame;
    struct error err = {0};
    assert_int_equal(frame_decode(bytes, sizeof bytes, &frame, &err), 0);
    assert_int_equal(frame.type, FRAME_DONE);
    assert_true(frame.tag == 0x1122334455667788);
    assert_int_equal(frame.length, 5);
    assert_ptr_equal(frame.payload, bytes + FRAME_HEADER_BYTES);
}

static void a_frame_is_at_most_64_kib(void **state)
{
    (void)state;
    AUTO_FREE uint8_t *bytes = xcalloc(FRAME_BYTES_MAX + 1, 1);
    frame_encode_header(FRAME_PONG, 1, bytes);
    struct frame frame;
    struct error err = {0};
    assert_int_equal(frame_decode(bytes, FRAME_BYTES_MAX, &frame, &err), 0);
    assert_int_equal(frame_decode(bytes, FRAME_BYTES_MAX + 1, &frame, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void every_malformed_header_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0},              /* magic */
        {3, 0xFF},           /* magic */
        {4, 0},              /* type: none */
        {4, FRAME_TYPE_END}, /* type: one too many */
        {5, 0xFF},           /* type */
        {6, 1},              /* reserved */
        {7, 1},              /* reserved */
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        uint8_t bytes[FRAME_HEADER_BYTES];
        frame_encode_header(FRAME_PONG, 1, bytes);
        bytes[changes[i].at] = changes[i].value;
        struct frame frame;
        struct error err = {0};
        assert_int_equal(frame_decode(bytes, sizeof bytes, &frame, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void a_frame_without_a_whole_header_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_encode_header(FRAME_PONG, 1, bytes);
    struct frame frame;
    for (size_t length = 0; length < FRAME_HEADER_BYTES; length++)
        assert_int_equal(frame_decode(bytes, length, &frame, NULL), -1);
    assert_int_equal(frame_decode(bytes, FRAME_HEADER_BYTES, &frame, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_read_as_it_was_written),
        cmocka_unit_test(a_frame_is_at_most_64_kib),
        cmocka_unit_test(every_malformed_header_is_refused),
        cmocka_unit_test(a_frame_without_a_whole_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
