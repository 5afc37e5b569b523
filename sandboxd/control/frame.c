#include "sandboxd/control/frame.h"

#include <string.h>

struct header {
    uint32_t magic;
    uint16_t type;
    uint16_t zero;
    uint64_t tag;
};
_Static_assert(sizeof(struct header) == FRAME_HEADER_BYTES, "no padding");

/* "SPL1" on the wire. */
static const uint32_t FRAME_MAGIC = 0x314C5053;

int frame_decode(const uint8_t *data, size_t length, struct frame *ret_frame, struct error *err)
{
    if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "a frame of %zu bytes", length);

    struct header header;
    memcpy(&header, data, sizeof header);
    if (header.magic != FRAME_MAGIC || header.zero != 0)
        return error_set(err, ERROR_INVALID, "not a frame");
    if (header.type == 0 || header.type >= FRAME_TYPE_END)
        return error_set(err, ERROR_INVALID, "unknown frame type %u", header.type);

    *ret_frame = (struct frame){
        .type = (enum frame_type)header.type,
        .tag = header.tag,
        .payload = data + FRAME_HEADER_BYTES,
        .length = length - FRAME_HEADER_BYTES,
    };
    return 0;
}

void frame_encode_header(enum frame_type type, uint64_t tag, uint8_t ret_header[FRAME_HEADER_BYTES])
{
    const struct header header = {.magic = FRAME_MAGIC, .type = (uint16_t)type, .tag = tag};
    memcpy(ret_header, &header, sizeof header);
}
