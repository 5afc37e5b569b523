#include "sandboxd/control/frame.h"
#include "sandboxd/control/message.h"
#include "tests/fuzz/fuzz.h"

/* What a reader accepts is what was sent, and a text in it ends where the payload ends. */

static void check_result(const struct frame *frame)
{
    struct result_message message;
    if (message_read_result(frame, &message, NULL) == 0)
        CHECK(MESSAGE_LENGTH(&message, text) == frame->length);
}

static void check_session_plan(const struct frame *frame)
{
    struct session_plan_message message;
    if (message_read_session_plan(frame, &message, NULL) == 0)
        CHECK(message.memory_bytes > 0 && message.start < START_END);
}

/* The first byte chooses the reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const struct frame *) = {
        check_result,
        check_session_plan,
    };
    if (size == 0)
        return 0;
    struct frame frame = {.payload = data + 1, .length = size - 1};
    checks[data[0] % (sizeof checks / sizeof *checks)](&frame);
    return 0;
}
