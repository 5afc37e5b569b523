#include "sandboxd/control/frame.h"

#include <endian.h>
#include <string.h>

/* "SPL1" on the wire. */
static const uint32_t FRAME_MAGIC = 0x314C5053;

int frame_decode(const uint8_t *data, size_t length, struct frame *ret_frame, struct error *err)
{
    if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "a frame of %zu bytes", length);

    uint32_t magic;
    uint16_t type, zero;
    uint64_t tag;
    memcpy(&magic, data, sizeof magic);
    memcpy(&type, data + 4, sizeof type);
    memcpy(&zero, data + 6, sizeof zero);
    memcpy(&tag, data + 8, sizeof tag);

    type = le16toh(type);
    if (le32toh(magic) != FRAME_MAGIC || zero != 0)
        return error_set(err, ERROR_INVALID, "not a frame");
    if (type == 0 || type >= FRAME_TYPE_END)
        return error_set(err, ERROR_INVALID, "unknown frame type %u", type);

    *ret_frame = (struct frame){
        .type = (enum frame_type)type,
        .tag = le64toh(tag),
        .payload = data + FRAME_HEADER_BYTES,
        .length = length - FRAME_HEADER_BYTES,
    };
    return 0;
}

void frame_encode_header(enum frame_type type, uint64_t tag, uint8_t ret_header[FRAME_HEADER_BYTES])
{
    uint32_t magic = htole32(FRAME_MAGIC);
    uint16_t type_le = htole16((uint16_t)type), zero = 0;
    tag = htole64(tag);
    memcpy(ret_header, &magic, sizeof magic);
    memcpy(ret_header + 4, &type_le, sizeof type_le);
    memcpy(ret_header + 6, &zero, sizeof zero);
    memcpy(ret_header + 8, &tag, sizeof tag);
}
