#include "base/core/buf.h"
#include "base/http/sse_reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/pieces.h"

enum { EVENT_BYTES_MAX = 48 };

static int note_event(void *self, const char *name, const char *data, size_t length,
                      struct error *err)
{
    (void)err;
    struct buf *seen = self;
    CHECK(length <= EVENT_BYTES_MAX && data[length] == '\0');
    buf_printf(seen, "%s=", name);
    buf_append(seen, data, length);
    buf_append_text(seen, ";");
    return 0;
}

static int read_in(enum pieces pieces, const char *data, size_t size, struct buf *seen)
{
    struct sse_reader reader;
    struct sse_reader_handler handler = {seen, note_event};
    sse_reader_begin(&reader, EVENT_BYTES_MAX, &handler);
    uint64_t seed = size;
    int result = 0;
    struct error err;
    for (size_t at = 0, piece; result == 0 && at < size; at += piece) {
        piece = next_piece(pieces, size - at, &seed);
        result = sse_reader_feed(&reader, data + at, piece, &err);
    }
    if (result == 0)
        result = sse_reader_finish(&reader, &err);
    sse_reader_clear(&reader);
    return result;
}

/* The pieces change nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf whole = {0};
    int result = read_in(PIECES_ALL_AT_ONCE, (const char *)data, size, &whole);
    for (int pieces = 0; pieces < PIECES_ALL_AT_ONCE; pieces++) {
        AUTO_BUF struct buf seen = {0};
        CHECK(read_in((enum pieces)pieces, (const char *)data, size, &seen) == result);
        CHECK(seen.length == whole.length);
        CHECK(seen.length == 0 || memcmp(seen.data, whole.data, seen.length) == 0);
    }
    return 0;
}
