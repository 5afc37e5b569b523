#include "agent/screen/terminal.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Characters that change how others are read and show nothing themselves. Joiners (U+200C, U+200D)
 * stay: scripts and emoji need them. */
static const struct {
    uint32_t first;
    uint32_t last;
} invisible[] = {
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x200b, 0x200b},   /* zero width space */
    {0x200e, 0x200f},   /* direction marks */
    {0x2028, 0x202e},   /* line and paragraph separators, embeddings and overrides */
    {0x2060, 0x206f},   /* word joiner, isolates and other formatting */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff9, 0xfffb},   /* interlinear annotations */
    {0xe0000, 0xe007f}, /* tags */
};

static bool is_invisible(uint32_t character)
{
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible; i++) {
        if (character >= invisible[i].first && character <= invisible[i].last)
            return true;
    }
    return false;
}

static bool is_plain(uint32_t character, enum terminal_escape form)
{
    if (character == '\n' || character == '\t')
        return form == TERMINAL_TEXT;
    if (character < 0x20 || (character >= 0x7f && character < 0xa0))
        return false;
    return !is_invisible(character);
}

/* How one character is encoded: 0 bytes where it is ill-formed. */
struct character {
    uint32_t value;
    size_t length;
    bool cut; /* well-formed as far as it goes */
};

static struct character decode(const uint8_t *data, size_t length)
{
    if (data[0] < 0x80)
        return (struct character){data[0], 1, false};

    size_t expected = data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    if (data[0] < 0xc2 || data[0] > 0xf4)
        return (struct character){0};

    uint32_t value = data[0] & (0xff >> (expected + 1));
    for (size_t i = 1; i < expected; i++) {
        if (i == length)
            return (struct character){.cut = true};
        if ((data[i] & 0xc0) != 0x80)
            return (struct character){0};
        value = value << 6 | (data[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[expected] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return (struct character){0};
    return (struct character){value, expected, false};
}

static void spell_out(struct buf *out, uint32_t value)
{
    if (value == '\n' || value == '\t' || value == '\r')
        buf_printf(out, "\\%c", value == '\n' ? 'n' : value == '\t' ? 't' : 'r');
    else if (value < 0x80)
        buf_printf(out, "\\x%02x", value);
    else
        buf_printf(out, value > 0xffff ? "\\U%08x" : "\\u%04x", value);
}

size_t terminal_escape(struct buf *out, const char *data, size_t length, enum terminal_escape form,
                       bool last)
{
    const uint8_t *bytes = (const uint8_t *)data;
    size_t at = 0;
    while (at < length) {
        struct character character = decode(bytes + at, length - at);
        if (character.cut && !last)
            break;
        if (character.length == 0) {
            buf_printf(out, "\\x%02x", bytes[at++]);
            continue;
        }
        if (character.value == '\\' && form == TERMINAL_NAME)
            buf_append_text(out, "\\\\");
        else if (is_plain(character.value, form))
            buf_append(out, data + at, character.length);
        else
            spell_out(out, character.value);
        at += character.length;
    }
    return at;
}

struct terminal terminal_of(FILE *file)
{
    return (struct terminal){.file = file, .escapes = isatty(fileno(file)) == 1};
}

static int write_out(struct terminal *terminal, const char *data, size_t length, struct error *err)
{
    if (length == 0)
        return 0;
    if (fwrite(data, 1, length, terminal->file) != length)
        return error_from_errno(err, "write the output");
    terminal->last_byte = data[length - 1];
    return 0;
}

static int write_escaped(struct terminal *terminal, const char *data, size_t length, bool last,
                         struct error *err)
{
    AUTO_BUF struct buf joined = {0};
    AUTO_BUF struct buf safe = {0};
    buf_append(&joined, terminal->pending, terminal->pending_length);
    buf_append(&joined, data, length);

    size_t used = terminal_escape(&safe, joined.data, joined.length, TERMINAL_TEXT, last);
    terminal->pending_length = joined.length - used;
    memcpy(terminal->pending, joined.data + used, terminal->pending_length);
    return write_out(terminal, safe.data, safe.length, err);
}

int terminal_write(struct terminal *terminal, const char *data, size_t length, struct error *err)
{
    if (!terminal->escapes)
        return write_out(terminal, data, length, err);
    return write_escaped(terminal, data, length, false, err);
}

int terminal_finish(struct terminal *terminal, struct error *err)
{
    if (terminal->escapes && write_escaped(terminal, "", 0, true, err) < 0)
        return -1;
    if (fflush(terminal->file) != 0)
        return error_from_errno(err, "write the output");
    return 0;
}
