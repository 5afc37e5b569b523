#include "sandboxd/payload/payload.h"

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
    assert_int_equal(payload_read_done(&frame, &got, NULL), 0);
    assert_memory_equal(&sent, &got, sizeof got);

    struct frame shorter = frame_of(bytes, sizeof sent - 1);
    struct frame longer = frame_of(bytes, sizeof sent + 1);
    assert_int_equal(payload_read_done(&shorter, &got, NULL), -1);
    assert_int_equal(payload_read_done(&longer, &got, NULL), -1);
}

static void a_finished_execution_with_a_bad_field_is_refused(void **state)
{
    (void)state;
    struct done_message got, neither = {.succeeded = 2}, unknown = {.display = DISPLAY_END};
    struct frame frame = frame_of(&neither, sizeof neither);
    assert_int_equal(payload_read_done(&frame, &got, NULL), -1);
    frame = frame_of(&unknown, sizeof unknown);
    assert_int_equal(payload_read_done(&frame, &got, NULL), -1);
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
        assert_int_equal(payload_path_is_safe(cases[i].path, strlen(cases[i].path)), cases[i].safe);
    assert_false(payload_path_is_safe("a\0b", 3));
}

static void path_parts_and_paths_have_a_longest_length(void **state)
{
    (void)state;
    char part[256];
    memset(part, 'a', sizeof part);
    assert_true(payload_path_is_safe(part, 255));
    assert_false(payload_path_is_safe(part, 256));

    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = i % 2 ? '/' : 'a';
    assert_true(payload_path_is_safe(path, FILE_PATH_MAX - 1));
    assert_false(payload_path_is_safe(path, FILE_PATH_MAX));
}

static void a_file_request_with_an_unsafe_path_or_operation_is_refused(void **state)
{
    (void)state;
    struct file_request_message sent = {.operation = FILE_LIST, .recursive = 1, .path = "a/b"};
    struct file_request_message got;
    struct error err = {0};
    struct frame frame = frame_of(&sent, MESSAGE_LENGTH(&sent, path));
    assert_int_equal(payload_read_file_request(&frame, &got, NULL), 0);
    assert_true(got.operation == FILE_LIST && got.recursive == 1);
    assert_string_equal(got.path, "a/b");

    memcpy(sent.path, "../", 3);
    assert_int_equal(payload_read_file_request(&frame, &got, &err), -1);
    assert_error(err, ERROR_INVALID, "unsafe path");

    memcpy(sent.path, "a/b", 3);
    sent.operation = FILE_OPERATION_END;
    assert_int_equal(payload_read_file_request(&frame, &got, NULL), -1);
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
    assert_int_equal(payload_read_file_entry(&frame, &got, NULL), 0);
    assert_memory_equal(&sent, &got, frame.length + 1);

    struct frame whole = frame_of(&sent, sizeof sent); /* with the NUL and what is behind it */
    assert_int_equal(payload_read_file_entry(&whole, &got, NULL), -1);
}

static void a_file_entry_of_no_kind_is_refused_whatever_follows(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    struct file_entry_message got;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        struct frame frame = frame_of(bytes, length);
        assert_int_equal(payload_read_file_entry(&frame, &got, NULL), -1);
    }
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
