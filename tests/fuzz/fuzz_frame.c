#include "sandboxd/control/frame.h"
#include "tests/fuzz/fuzz.h"

/* A frame that is accepted is written again as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame;
    struct error err;
    if (frame_decode(data, size, &frame, &err) < 0)
        return 0;
    uint8_t header[FRAME_HEADER_BYTES];
    frame_encode_header(frame.type, frame.tag, header);
    CHECK(memcmp(header, data, sizeof header) == 0);
    CHECK(frame.length == size - FRAME_HEADER_BYTES && size <= FRAME_BYTES_MAX);
    CHECK(frame.length == 0 || frame.payload == data + FRAME_HEADER_BYTES);
    return 0;
}
