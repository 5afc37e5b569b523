#include "agent/settings/env_file.h"

#include <ctype.h>
#include <string.h>

#include "base/core/buf.h"

struct reader {
    const char *at, *end;
    unsigned line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static void skip_line(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at != '\n')
        reader->at++;
}

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' || *reader->at == '#';
}

static int fail(const struct reader *reader, const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, "line %u: %s", reader->line, what);
}

static size_t word_length(const struct reader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && (isalnum((unsigned char)*at) || *at == '_'))
        at++;
    return (size_t)(at - reader->at);
}

static int read_name(struct reader *reader, char ret_name[ENV_NAME_BYTES_MAX], struct error *err)
{
    size_t length = word_length(reader);
    if (length == 6 && memcmp(reader->at, "export", 6) == 0 && reader->at + 6 < reader->end &&
        is_blank(reader->at[6])) {
        reader->at += 6;
        skip_blanks(reader);
        length = word_length(reader);
    }
    if (length == 0 || length >= ENV_NAME_BYTES_MAX || isdigit((unsigned char)*reader->at))
        return fail(reader, "a name was expected: NAME=value", err);
    memcpy(ret_name, reader->at, length);
    ret_name[length] = '\0';
    reader->at += length;
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != '=')
        return fail(reader, "\"=\" was expected after the name", err);
    reader->at++;
    skip_blanks(reader);
    return 0;
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static int read_quoted(struct reader *reader, struct buf *out, struct error *err)
{
    char quote = *reader->at++;
    unsigned first_line = reader->line;
    for (; reader->at < reader->end && *reader->at != quote; reader->at++) {
        char c = *reader->at;
        bool is_escape = c == '\\' && quote == '"' && reader->at + 1 < reader->end &&
                         strchr("nt\"\\$", reader->at[1]);
        if (is_escape)
            c = unescape(*++reader->at);
        if (*reader->at == '\n')
            reader->line++;
        buf_append(out, &c, 1);
    }
    if (reader->at == reader->end) {
        reader->line = first_line;
        return fail(reader, "the quote is not closed", err);
    }
    reader->at++;
    skip_blanks(reader);
    return at_line_end(reader) ? 0 : fail(reader, "something follows the closing quote", err);
}

static void read_plain(struct reader *reader, struct buf *out)
{
    const char *start = reader->at;
    for (; reader->at < reader->end && *reader->at != '\n'; reader->at++) {
        if (*reader->at == '#' && reader->at > start && is_blank(reader->at[-1]))
            break;
    }
    const char *end = reader->at;
    while (end > start && is_blank(end[-1]))
        end--;
    buf_append(out, start, (size_t)(end - start));
}

static int read_line(struct reader *reader, env_file_handler *on_variable, void *self,
                     struct error *err)
{
    char name[ENV_NAME_BYTES_MAX];
    AUTO_BUF struct buf value = {0};
    if (read_name(reader, name, err) < 0)
        return -1;
    bool is_quoted = reader->at < reader->end && (*reader->at == '"' || *reader->at == '\'');
    if (is_quoted && read_quoted(reader, &value, err) < 0)
        return -1;
    if (!is_quoted)
        read_plain(reader, &value);
    on_variable(self, name, value.data ? value.data : "");
    return 0;
}

int env_file_read(const char *text, size_t length, env_file_handler *on_variable, void *self,
                  struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct reader reader = {.at = text, .end = text + length, .line = 1};
    if (length > ENV_FILE_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "the file has more than %d bytes", ENV_FILE_BYTES_MAX);
    if (memchr(text, '\0', length))
        return error_set(err, ERROR_INVALID, "the file holds a NUL byte");
    if (length >= 3 && memcmp(text, mark, 3) == 0)
        reader.at += 3;
    while (reader.at < reader.end) {
        skip_blanks(&reader);
        if (!at_line_end(&reader) && read_line(&reader, on_variable, self, err) < 0)
            return -1;
        skip_line(&reader);
        if (reader.at < reader.end)
            reader.at++;
        reader.line++;
    }
    return 0;
}
