#include "agent/screen/terminal.h"
#include "base/core/text.h"
#include "tests/fuzz/fuzz.h"

/* Nothing that a terminal would obey: control characters, and what changes the reading direction.
 */
static bool is_safe(const char *text, size_t length, enum terminal_escape form)
{
    static const char *const forbidden[] = {"\u061c", "\u200b", "\u200e",
                                            "\u202e", "\u2066", "\ufeff"};
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool is_layout = form == TERMINAL_TEXT && (byte == '\n' || byte == '\t');
        if ((byte < 0x20 && !is_layout) || byte == 0x7f)
            return false;
        if (byte == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0)
            return false; /* U+0080 to U+009F */
    }
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        if (memmem(text, length, forbidden[i], strlen(forbidden[i])))
            return false;
    }
    return text_is_utf8(text, length);
}

/* The same text in two pieces looks the same. */
static void check_split(const char *data, size_t size, size_t at, const struct buf *whole)
{
    AUTO_BUF struct buf out = {0};
    size_t used = terminal_escape(&out, data, at, TERMINAL_TEXT, false);
    CHECK(used <= at && at - used < 4);
    CHECK(terminal_escape(&out, data + used, size - used, TERMINAL_TEXT, true) == size - used);
    CHECK(out.length == whole->length);
    CHECK(out.length == 0 || memcmp(out.data, whole->data, out.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    for (int form = TERMINAL_TEXT; form <= TERMINAL_NAME; form++) {
        AUTO_BUF struct buf out = {0};
        CHECK(terminal_escape(&out, text, size, (enum terminal_escape)form, true) == size);
        CHECK(out.length == 0 || is_safe(out.data, out.length, (enum terminal_escape)form));
        for (size_t at = 0; form == TERMINAL_TEXT && at <= size && size < 64; at++)
            check_split(text, size, at, &out);
    }
    return 0;
}
