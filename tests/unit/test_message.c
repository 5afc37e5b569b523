#include "sandboxd/control/message.h"

#include "tests/support/unit.h"

static struct frame frame_of(const void *payload, size_t length)
{
    return (struct frame){.payload = payload, .length = length};
}

static void a_finished_execution_is_read_as_written(void **state)
{
    (void)state;
    struct done_message sent = {.succeeded = 1, .display = DISPLAY_TEXT, .wall_us = 1, .cpu_us = 2};
    struct done_message got;
    uint8_t bytes[sizeof sent + 1] = {0};
    memcpy(bytes, &sent, sizeof sent);
    struct frame frame = frame_of(bytes, sizeof sent);
    assert_int_equal(message_read_done(&frame, &got, NULL), 0);
    assert_memory_equal(&sent, &got, sizeof got);

    struct frame shorter = frame_of(bytes, sizeof sent - 1);
    struct frame longer = frame_of(bytes, sizeof sent + 1);
    assert_int_equal(message_read_done(&shorter, &got, NULL), -1);
    assert_int_equal(message_read_done(&longer, &got, NULL), -1);
}

static void a_finished_execution_with_a_bad_field_is_refused(void **state)
{
    (void)state;
    struct done_message got, neither = {.succeeded = 2}, unknown = {.display = DISPLAY_END};
    struct frame frame = frame_of(&neither, sizeof neither);
    assert_int_equal(message_read_done(&frame, &got, NULL), -1);
    frame = frame_of(&unknown, sizeof unknown);
    assert_int_equal(message_read_done(&frame, &got, NULL), -1);
}

static void paths_stay_below_the_data_directory(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool safe;
    } cases[] = {
        {"", true},     {"a", true},   {"a/b.txt", true}, {"...", true},     {".hidden", true},
        {"a..b", true}, {".", false},  {"..", false},     {"a/../b", false}, {"a/.", false},
        {"/a", false},  {"a/", false}, {"a//b", false},   {"../a", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(message_path_is_safe(cases[i].path, strlen(cases[i].path)), cases[i].safe);
    assert_false(message_path_is_safe("a\0b", 3));
}

static void path_parts_and_paths_have_a_longest_length(void **state)
{
    (void)state;
    char part[256];
    memset(part, 'a', sizeof part);
    assert_true(message_path_is_safe(part, 255));
    assert_false(message_path_is_safe(part, 256));

    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = i % 2 ? '/' : 'a';
    assert_true(message_path_is_safe(path, FILE_PATH_MAX - 1));
    assert_false(message_path_is_safe(path, FILE_PATH_MAX));
}

static void a_file_request_with_an_unsafe_path_or_operation_is_refused(void **state)
{
    (void)state;
    struct file_request_message sent = {.operation = FILE_LIST, .recursive = 1, .path = "a/b"};
    struct file_request_message got;
    struct error err = {0};
    struct frame frame = frame_of(&sent, MESSAGE_LENGTH(&sent, path));
    assert_int_equal(message_read_file_request(&frame, &got, NULL), 0);
    assert_true(got.operation == FILE_LIST && got.recursive == 1);
    assert_string_equal(got.path, "a/b");

    memcpy(sent.path, "../", 3);
    assert_int_equal(message_read_file_request(&frame, &got, &err), -1);
    assert_error(err, ERROR_INVALID, "unsafe path");

    memcpy(sent.path, "a/b", 3);
    sent.operation = FILE_OPERATION_END;
    assert_int_equal(message_read_file_request(&frame, &got, NULL), -1);
}

static void a_file_entry_is_read_as_written(void **state)
{
    (void)state;
    struct file_entry_message sent = {.kind = FILE_KIND_DIRECTORY,
                                      .size_bytes = UINT64_MAX,
                                      .modified_s = -5,
                                      .modified_ns = 7,
                                      .path = "d"};
    struct file_entry_message got;
    struct frame frame = frame_of(&sent, MESSAGE_LENGTH(&sent, path));
    assert_int_equal(message_read_file_entry(&frame, &got, NULL), 0);
    assert_memory_equal(&sent, &got, frame.length + 1);

    struct frame whole = frame_of(&sent, sizeof sent); /* with the NUL and what is behind it */
    assert_int_equal(message_read_file_entry(&whole, &got, NULL), -1);
}

static void a_file_entry_of_no_kind_is_refused_whatever_follows(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    struct file_entry_message got;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        struct frame frame = frame_of(bytes, length);
        assert_int_equal(message_read_file_entry(&frame, &got, NULL), -1);
    }
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
        cmocka_unit_test(a_finished_execution_is_read_as_written),
        cmocka_unit_test(a_finished_execution_with_a_bad_field_is_refused),
        cmocka_unit_test(paths_stay_below_the_data_directory),
        cmocka_unit_test(path_parts_and_paths_have_a_longest_length),
        cmocka_unit_test(a_file_request_with_an_unsafe_path_or_operation_is_refused),
        cmocka_unit_test(a_file_entry_is_read_as_written),
        cmocka_unit_test(a_file_entry_of_no_kind_is_refused_whatever_follows),
        cmocka_unit_test(a_result_holds_a_short_text),
        cmocka_unit_test(a_session_without_a_limit_or_of_an_unknown_kind_is_refused),
        cmocka_unit_test(a_message_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
