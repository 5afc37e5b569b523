#include "base/json/wire.h"

#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/scan.h"
#include "base/json/writer.h"

bool wire_write_image(const uint8_t *png, size_t length, struct buf *out)
{
    size_t start = out->length;
    if (buf_append_text(out, "{\"type\":\"image\",\"format\":\"png\",\"base64_data\":\"") &&
        base64_encode(png, length, out) && buf_append_text(out, "\"}"))
        return true;
    if (out->data) {
        out->length = start;
        out->data[start] = '\0';
    }
    return false;
}

/* Rule R (docs/api.md, "Result value"): text that happens to be JSON is sent as it is. */
bool wire_write_value(const char *text, size_t length, bool as_string, struct buf *out)
{
    if (!as_string && json_scan_is_strict(text, length))
        return buf_append(out, text, length);
    struct writer writer = writer_begin(out, false);
    writer_text(&writer, NULL, text, length);
    return writer_finish(&writer, NULL) == 0;
}
