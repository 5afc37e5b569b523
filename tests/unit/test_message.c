#include "sandboxd/control/message.h"

#include "tests/support/unit.h"

static struct frame frame_of(const void *payload, size_t length)
{
    return (struct frame){.payload = payload, .length = length};
}

static void a_result_holds_a_short_text(void **state)
{
    (void)state;
    struct result_message sent, got;
    assert_int_equal(message_fill_result(&sent, 2, "no such file"), 4 + 12);
    struct frame frame = frame_of(&sent, 4 + 12);
    assert_int_equal(message_read_result(&frame, &got, NULL), 0);
    assert_int_equal(got.error_number, 2);
    assert_string_equal(got.text, "no such file");

    char text[RESULT_TEXT_MAX + 1], bytes[4 + RESULT_TEXT_MAX];
    memset(text, 'a', sizeof text);
    text[RESULT_TEXT_MAX] = '\0';
    assert_int_equal(message_fill_result(&sent, 2, text), 4 + RESULT_TEXT_MAX - 1); /* cut */
    memset(bytes, 'a', sizeof bytes);
    struct frame full = frame_of(bytes, sizeof bytes - 1), over = frame_of(bytes, sizeof bytes);
    assert_int_equal(message_read_result(&full, &got, NULL), 0);
    assert_int_equal(message_read_result(&over, &got, NULL), -1);
    struct frame none = frame_of(bytes, 3);
    assert_int_equal(message_read_result(&none, &got, NULL), -1);
}

static void a_session_without_a_limit_or_of_an_unknown_kind_is_refused(void **state)
{
    (void)state;
    const struct session_plan_message good = {
        1, 2, 3, 4, 5, 6, START_EXEC, NETWORK_EGRESS, 1, {.names = 1}};
    struct session_plan_message sent = good, got;
    struct frame frame = frame_of(&sent, sizeof sent);
    assert_int_equal(message_read_session_plan(&frame, &got, NULL), 0);
    assert_memory_equal(&got, &good, sizeof got);

    sent.tasks = 0;
    assert_int_equal(message_read_session_plan(&frame, &got, NULL), -1);
    sent = good;
    sent.start = START_END;
    assert_int_equal(message_read_session_plan(&frame, &got, NULL), -1);
    sent = good;
    sent.network = NETWORK_END;
    assert_int_equal(message_read_session_plan(&frame, &got, NULL), -1);
    sent = good;
    sent.audit = 2;
    assert_int_equal(message_read_session_plan(&frame, &got, NULL), -1);
}

static void a_message_of_another_length_is_refused(void **state)
{
    (void)state;
    struct root_message sent[2] = {{.data_bytes = UINT64_MAX, .data_inodes = 2}}, got;
    struct frame frame = frame_of(sent, sizeof *sent);
    assert_int_equal(message_read(&frame, &got, sizeof got, NULL), 0);
    assert_true(got.data_bytes == UINT64_MAX && got.data_inodes == 2);
    frame.length++;
    assert_int_equal(message_read(&frame, &got, sizeof got, NULL), -1);
    frame.length -= 2;
    assert_int_equal(message_read(&frame, &got, sizeof got, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_holds_a_short_text),
        cmocka_unit_test(a_session_without_a_limit_or_of_an_unknown_kind_is_refused),
        cmocka_unit_test(a_message_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
