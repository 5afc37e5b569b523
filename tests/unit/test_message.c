#include "sandboxd/control/message.h"

#include "tests/support/unit.h"

static void a_finished_execution_is_read_as_written(void **state)
{
    (void)state;
    struct done_message sent = {
        .succeeded = true, .display = DISPLAY_TEXT, .wall_us = 1, .cpu_us = 2};
    struct done_message got;
    uint8_t bytes[DONE_MESSAGE_BYTES + 1] = {0};
    assert_int_equal(message_write_done(&sent, bytes), DONE_MESSAGE_BYTES);
    assert_int_equal(message_read_done(bytes, DONE_MESSAGE_BYTES, &got, NULL), 0);
    assert_true(got.succeeded && got.display == DISPLAY_TEXT && got.wall_us == 1 &&
                got.cpu_us == 2);

    assert_int_equal(message_read_done(bytes, DONE_MESSAGE_BYTES - 1, &got, NULL), -1);
    assert_int_equal(message_read_done(bytes, DONE_MESSAGE_BYTES + 1, &got, NULL), -1);
    bytes[0] = 2; /* neither yes nor no */
    assert_int_equal(message_read_done(bytes, DONE_MESSAGE_BYTES, &got, NULL), -1);
    bytes[0] = 1;
    bytes[1] = DISPLAY_END;
    assert_int_equal(message_read_done(bytes, DONE_MESSAGE_BYTES, &got, NULL), -1);
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

static void a_file_request_with_an_unsafe_path_is_refused(void **state)
{
    (void)state;
    struct file_request_message sent = {
        .operation = FILE_LIST, .recursive = true, .path = "a/b", .path_length = 3};
    struct file_request_message got;
    uint8_t bytes[FILE_REQUEST_BYTES_MAX];
    size_t length = message_write_file_request(&sent, bytes);
    assert_int_equal(message_read_file_request(bytes, length, &got, NULL), 0);
    assert_true(got.operation == FILE_LIST && got.recursive && got.path_length == 3);

    sent.path = "../";
    length = message_write_file_request(&sent, bytes);
    struct error err = {0};
    assert_int_equal(message_read_file_request(bytes, length, &got, &err), -1);
    assert_error(err, ERROR_INVALID, "unsafe path");

    bytes[0] = FILE_OPERATION_END;
    assert_int_equal(message_read_file_request(bytes, length, &got, NULL), -1);
}

static void a_file_entry_is_read_as_written(void **state)
{
    (void)state;
    struct file_entry_message sent = {.kind = FILE_KIND_DIRECTORY,
                                      .size_bytes = UINT64_MAX,
                                      .modified_s = -5,
                                      .modified_ns = 7,
                                      .path = "d",
                                      .path_length = 1};
    struct file_entry_message got;
    uint8_t bytes[FILE_ENTRY_BYTES_MAX];
    size_t length = message_write_file_entry(&sent, bytes);
    assert_int_equal(message_read_file_entry(bytes, length, &got, NULL), 0);
    assert_true(got.kind == FILE_KIND_DIRECTORY && got.size_bytes == UINT64_MAX);
    assert_true(got.modified_s == -5 && got.modified_ns == 7 && got.path_length == 1);
}

static void a_file_entry_of_no_kind_is_refused_whatever_follows(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    struct file_entry_message got;
    for (size_t length = 0; length <= sizeof bytes; length++)
        assert_int_equal(message_read_file_entry(bytes, length, &got, NULL), -1);
}

static void a_result_holds_at_most_512_bytes_of_text(void **state)
{
    (void)state;
    uint8_t bytes[RESULT_BYTES_MAX + 1] = {0};
    struct result_message got;
    assert_int_equal(message_write_result(2, "no such file", bytes), 4 + 12);
    assert_int_equal(message_read_result(bytes, 16, &got, NULL), 0);
    assert_int_equal(got.error_number, 2);
    assert_int_equal(got.text_length, 12);
    assert_int_equal(message_read_result(bytes, RESULT_BYTES_MAX, &got, NULL), 0);
    assert_int_equal(message_read_result(bytes, RESULT_BYTES_MAX + 1, &got, NULL), -1);
    assert_int_equal(message_read_result(bytes, 3, &got, NULL), -1);
}

static void a_session_without_a_limit_is_refused(void **state)
{
    (void)state;
    struct session_limits_message limits = {1, 2, 3, 4, 5};
    struct session_limits_message got;
    uint8_t bytes[SESSION_LIMITS_BYTES];
    assert_int_equal(message_write_session_limits(&limits, bytes), SESSION_LIMITS_BYTES);
    assert_int_equal(message_read_session_limits(bytes, sizeof bytes, &got, NULL), 0);
    assert_true(got.memory_bytes == 1 && got.data_bytes == 2 && got.data_inodes == 3);
    assert_true(got.tasks == 4 && got.cpu_percent == 5);
    limits.tasks = 0;
    message_write_session_limits(&limits, bytes);
    assert_int_equal(message_read_session_limits(bytes, sizeof bytes, &got, NULL), -1);
}

static void the_end_of_an_interpreter_is_read_as_written(void **state)
{
    (void)state;
    struct gone_message sent = {.wait_status = 9, .out_of_memory = true};
    struct gone_message got;
    uint8_t bytes[GONE_MESSAGE_BYTES];
    assert_int_equal(message_write_gone(&sent, bytes), GONE_MESSAGE_BYTES);
    assert_int_equal(message_read_gone(bytes, sizeof bytes, &got, NULL), 0);
    assert_true(got.wait_status == 9 && got.out_of_memory);
}

static void a_root_has_two_sizes_and_nothing_behind_them(void **state)
{
    (void)state;
    struct root_message sent = {.data_bytes = UINT64_MAX, .data_inodes = 2}, got;
    uint8_t bytes[ROOT_MESSAGE_BYTES + 1] = {0};
    size_t length = message_write_root(&sent, bytes);
    assert_int_equal(message_read_root(bytes, length, &got, NULL), 0);
    assert_true(got.data_bytes == UINT64_MAX);
    assert_int_equal(got.data_inodes, 2);
    assert_int_equal(message_read_root(bytes, length + 1, &got, NULL), -1);
    assert_int_equal(message_read_root(bytes, length - 1, &got, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_execution_is_read_as_written),
        cmocka_unit_test(paths_stay_below_the_data_directory),
        cmocka_unit_test(path_parts_and_paths_have_a_longest_length),
        cmocka_unit_test(a_file_request_with_an_unsafe_path_is_refused),
        cmocka_unit_test(a_file_entry_is_read_as_written),
        cmocka_unit_test(a_file_entry_of_no_kind_is_refused_whatever_follows),
        cmocka_unit_test(a_result_holds_at_most_512_bytes_of_text),
        cmocka_unit_test(a_session_without_a_limit_is_refused),
        cmocka_unit_test(the_end_of_an_interpreter_is_read_as_written),
        cmocka_unit_test(a_root_has_two_sizes_and_nothing_behind_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
