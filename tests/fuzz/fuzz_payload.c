#include "sandboxd/payload/payload.h"
#include "tests/fuzz/fuzz.h"

/* What a reader accepts is what was sent, and a text in it ends where the payload ends. */

static void check_done(const struct frame *frame)
{
    struct done_message message;
    if (payload_read_done(frame, &message, NULL) == 0)
        CHECK(memcmp(&message, frame->payload, frame->length) == 0 && message.succeeded <= 1);
}

static void check_file_request(const struct frame *frame)
{
    struct file_request_message message;
    if (payload_read_file_request(frame, &message, NULL) < 0)
        return;
    CHECK(MESSAGE_LENGTH(&message, path) == frame->length);
    CHECK(message.path[0] != '/' && !strstr(message.path, "//"));
}

static void check_file_entry(const struct frame *frame)
{
    struct file_entry_message message;
    if (payload_read_file_entry(frame, &message, NULL) == 0)
        CHECK(MESSAGE_LENGTH(&message, path) == frame->length);
}

/* The first byte chooses the reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const struct frame *) = {
        check_done,
        check_file_request,
        check_file_entry,
    };
    if (size == 0)
        return 0;
    struct frame frame = {.payload = data + 1, .length = size - 1};
    checks[data[0] % (sizeof checks / sizeof *checks)](&frame);
    return 0;
}
