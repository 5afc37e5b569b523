#include "agent/llm/react.h"
#include "base/json/writer.h"
#include "tests/fuzz/fuzz_model_answer.h"

/* The text in events of a few bytes each, so that the parser sees it in pieces too. */
static void write_stream(const char *text, size_t length, size_t piece_bytes, struct buf *out)
{
    for (size_t at = 0; at < length; at += piece_bytes) {
        size_t piece = length - at < piece_bytes ? length - at : piece_bytes;
        buf_append_text(out, "data: {\"choices\":[{\"delta\":{\"content\":");
        struct writer writer = writer_begin(out, false);
        writer_text(&writer, NULL, text + at, piece);
        buf_append_text(out, "}}]}\n\n");
    }
    buf_append_text(out, "data: [DONE]\n\n");
}

static void read_text(bool answer_only, size_t piece_bytes, const char *text, size_t length,
                      struct transcript *transcript)
{
    AUTO_BUF struct buf stream = {0};
    struct model_answer_reading reading = {.provider = &provider_chat,
                                           .pieces = PIECES_ALL_AT_ONCE,
                                           .text_protocol = true,
                                           .answer_only = answer_only,
                                           .check = check_answer};
    write_stream(text, length, piece_bytes, &stream);
    model_answer_read(&reading, stream.data, stream.length, transcript);
}

/* The pieces in which a text comes change nothing. ASCII only: a character is never in two. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf text = {0};
    for (size_t i = 0; i < size; i++)
        buf_append(&text, &(char){(char)(data[i] & 0x7f)}, 1);
    const char *bytes = text.data ? text.data : "";
    for (int answer_only = 0; answer_only <= 1; answer_only++) {
        struct transcript whole = {0};
        read_text(answer_only, size + 1, bytes, size, &whole);
        for (size_t piece_bytes = 1; piece_bytes <= 3; piece_bytes++) {
            struct transcript seen = {0};
            read_text(answer_only, piece_bytes, bytes, size, &seen);
            CHECK(seen.text.length == whole.text.length &&
                  memcmp(seen.text.data, whole.text.data, seen.text.length) == 0);
            buf_free(&seen.text);
        }
        buf_free(&whole.text);
    }
    react_has_action(bytes);
    return 0;
}
