#include "agent/screen/markdown.h"
#include "tests/fuzz/fuzz.h"

/* Nothing but attributes, line ends and what is printable: a terminal does only what we mean. */
static void check(const struct buf *out)
{
    for (size_t i = 0; i < out->length; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c == 0x1b) {
            CHECK(out->data[i + 1] == '[');
            size_t length = strspn(out->data + i + 2, "0123456789;");
            CHECK(out->data[i + 2 + length] == 'm');
        }
        CHECK(c >= 0x20 || c == '\n' || c == '\t' || c == 0x1b);
        CHECK(c != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    AUTO_BUF struct buf whole = {0};
    AUTO_BUF struct buf pieces = {0};
    markdown_render(text, size, true, &whole);
    check(&whole);

    struct markdown_stream stream = {.with_colours = true};
    for (size_t i = 0; i < size; i++)
        markdown_feed(&stream, text + i, 1, &pieces);
    markdown_finish(&stream, &pieces);
    CHECK(whole.length == pieces.length);
    CHECK(whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0);
    return 0;
}
