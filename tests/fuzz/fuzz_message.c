#include "sandboxd/control/frame.h"
#include "sandboxd/control/message.h"
#include "tests/fuzz/fuzz.h"

/* Every message that a reader accepts is written again as it was. */
static void check_same(const uint8_t *data, size_t size, const uint8_t *written, size_t length)
{
    CHECK(length == size && memcmp(data, written, size) == 0);
}

static void check_done(const uint8_t *data, size_t size)
{
    struct done_message message;
    uint8_t out[DONE_MESSAGE_BYTES];
    if (message_read_done(data, size, &message, NULL) == 0)
        check_same(data, size, out, message_write_done(&message, out));
}

static void check_file_request(const uint8_t *data, size_t size)
{
    struct file_request_message message;
    uint8_t out[FILE_REQUEST_BYTES_MAX];
    if (message_read_file_request(data, size, &message, NULL) < 0)
        return;
    check_same(data, size, out, message_write_file_request(&message, out));
    CHECK(message.path_length == 0 || message.path[0] != '/');
}

static void check_file_entry(const uint8_t *data, size_t size)
{
    struct file_entry_message message;
    uint8_t out[FILE_ENTRY_BYTES_MAX];
    if (message_read_file_entry(data, size, &message, NULL) == 0)
        check_same(data, size, out, message_write_file_entry(&message, out));
}

static void check_result(const uint8_t *data, size_t size)
{
    struct result_message message;
    if (message_read_result(data, size, &message, NULL) < 0)
        return;
    CHECK(message.text_length == size - sizeof message.error_number);
    CHECK(message.text_length <= RESULT_TEXT_MAX);
}

static void check_session_limits(const uint8_t *data, size_t size)
{
    struct session_limits_message message;
    uint8_t out[SESSION_LIMITS_BYTES];
    if (message_read_session_limits(data, size, &message, NULL) == 0)
        check_same(data, size, out, message_write_session_limits(&message, out));
}

static void check_gone(const uint8_t *data, size_t size)
{
    struct gone_message message;
    uint8_t out[GONE_MESSAGE_BYTES];
    if (message_read_gone(data, size, &message, NULL) == 0)
        check_same(data, size, out, message_write_gone(&message, out));
}

static void check_root(const uint8_t *data, size_t size)
{
    struct root_message message;
    uint8_t out[ROOT_MESSAGE_BYTES];
    if (message_read_root(data, size, &message, NULL) == 0)
        check_same(data, size, out, message_write_root(&message, out));
}

/* The first byte chooses the reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const uint8_t *, size_t) = {
        check_done,           check_file_request, check_file_entry, check_result,
        check_session_limits, check_gone,         check_root,
    };
    if (size > 0)
        checks[data[0] % (sizeof checks / sizeof *checks)](data + 1, size - 1);
    return 0;
}
