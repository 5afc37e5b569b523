#include "sandboxd/admin/shell_syntax.h"

#include <stdbool.h>
#include <string.h>

/* What no shell and no file of variables reads as anything but itself. */
static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,=-";

/* Appends the value with `escape` in front of each byte of `special`. */
static bool append_escaped(struct buf *out, const char *value, const char *special,
                           const char *escape)
{
    bool fits = true;
    for (const char *p = value; *p && fits; p++) {
        if (strchr(special, *p))
            fits = buf_append_text(out, escape);
        fits = fits && buf_append(out, p, 1);
    }
    return fits;
}

static bool write_sh(const char *name, const char *value, struct buf *out)
{
    bool fits = buf_printf(out, "export %s='", name);
    for (const char *p = value; *p && fits; p++)
        fits = *p == '\'' ? buf_append_text(out, "'\\''") : buf_append(out, p, 1);
    return fits && buf_append_text(out, "'\n");
}

static bool write_fish(const char *name, const char *value, struct buf *out)
{
    return buf_printf(out, "set -gx %s '", name) && append_escaped(out, value, "\\'", "\\") &&
           buf_append_text(out, "'\n");
}

/* Readers of such files differ most in what they do with quotes: there are none where none are
 * needed. */
static bool write_dotenv(const char *name, const char *value, struct buf *out)
{
    if (!value[strspn(value, plain)])
        return buf_printf(out, "%s=%s\n", name, value);
    if (!strchr(value, '\''))
        return buf_printf(out, "%s='%s'\n", name, value);
    return buf_printf(out, "%s=\"", name) && append_escaped(out, value, "\\\"$`", "\\") &&
           buf_append_text(out, "\"\n");
}

/* $GITHUB_ENV takes everything behind the first "=". */
static bool write_github(const char *name, const char *value, struct buf *out)
{
    return buf_printf(out, "%s=%s\n", name, value);
}

static const struct {
    const char *name;
    bool (*write)(const char *name, const char *value, struct buf *out);
} syntaxes[SHELL_SYNTAX_END] = {
    [SHELL_SH] = {"sh", write_sh},
    [SHELL_FISH] = {"fish", write_fish},
    [SHELL_DOTENV] = {"dotenv", write_dotenv},
    [SHELL_GITHUB] = {"github", write_github},
};

int shell_syntax_find(const char *name, enum shell_syntax *ret_syntax, struct error *err)
{
    for (int i = 0; i < SHELL_SYNTAX_END; i++) {
        if (strcmp(syntaxes[i].name, name) == 0) {
            *ret_syntax = (enum shell_syntax)i;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "\"%.40s\" is none of sh, fish, dotenv and github", name);
}

int shell_syntax_write(enum shell_syntax syntax, const char *name, const char *value,
                       struct buf *out, struct error *err)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p < ' ' || *p == 0x7f)
            return error_set(err, ERROR_INVALID, "%s would have control characters in its value",
                             name);
    }
    if (!syntaxes[syntax].write(name, value, out))
        return error_set(err, ERROR_LIMIT, "the variables are too long");
    return 0;
}
