#include "agent/turn/layout.h"

#include <string.h>

static void new_line(unsigned level, struct buf *out)
{
    buf_append_text(out, "\n");
    for (unsigned i = 0; i < level; i++)
        buf_append_text(out, "  ");
}

/* The string that begins at `at`; returns where it ends. */
static const char *copy_string(const char *at, struct buf *out)
{
    const char *start = at++;
    while (*at && *at != '"')
        at += at[0] == '\\' && at[1] ? 2 : 1;
    at += *at == '"';
    buf_append(out, start, (size_t)(at - start));
    return at;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *open_bracket(const char *at, unsigned *level, struct buf *out)
{
    const char *next = skip_blanks(at + 1);
    buf_append(out, at, 1);
    if (*next == ']' || *next == '}') {
        buf_append(out, next, 1);
        return next + 1;
    }
    new_line(++*level, out);
    return next;
}

void layout_indent(const char *json, unsigned level, struct buf *out)
{
    const char *at = skip_blanks(json);
    while (*at) {
        switch (*at) {
        case '"':
            at = copy_string(at, out);
            break;
        case '[':
        case '{':
            at = open_bracket(at, &level, out);
            break;
        case ']':
        case '}':
            level -= level > 0;
            new_line(level, out);
            buf_append(out, at++, 1);
            break;
        case ',':
            buf_append(out, at++, 1);
            new_line(level, out);
            break;
        case ':':
            buf_append_text(out, ": ");
            at++;
            break;
        default:
            buf_append(out, at++, 1);
        }
        at = skip_blanks(at);
    }
}
