#include "base/http/multipart_part.h"

#include <string.h>
#include <strings.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/http/multipart.h"
#include "base/http/parameters.h"

#define AUTO_PARAMETER __attribute__((cleanup(parameter_free)))

void part_headers_clear(struct part_headers *headers)
{
    free(headers->name);
    free(headers->filename);
    *headers = (struct part_headers){0};
}

static bool is_word(const char *start, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(start, word, length) == 0;
}

static bool begins_with_word(const char *start, size_t length, const char *word)
{
    return length >= strlen(word) && strncasecmp(start, word, strlen(word)) == 0;
}

/* Browsers and httpx write a quote inside a quoted value as %22 (and nothing else needs undoing: a
 * percent sign is sent as it is). */
static void undo_quote_escapes(struct buf *value)
{
    char *to = value->data;
    for (const char *from = value->data; *from; to++) {
        bool is_escape = strncmp(from, "%22", 3) == 0;
        *to = is_escape ? '"' : *from;
        from += is_escape ? 3 : 1;
    }
    *to = '\0';
    value->length = (size_t)(to - value->data);
}

static int set_text(char **text, struct parameter *parameter, struct error *err)
{
    const char *name = parameter->name.data;
    if (*text)
        return error_set(err, ERROR_INVALID, "Content-Disposition: %.20s is there twice", name);
    if (!buf_append(&parameter->value, "", 0))
        return error_set(err, ERROR_LIMIT, "out of memory");
    if (parameter->was_quoted)
        undo_quote_escapes(&parameter->value);
    if (!text_is_utf8(parameter->value.data, parameter->value.length))
        return error_set(err, ERROR_INVALID, "Content-Disposition: %.20s is not valid UTF-8", name);
    *text = buf_take(&parameter->value);
    return 0;
}

/* RFC 5987: utf-8'language'percent-encoded; it wins over the plain form. */
static int set_extended_filename(struct part_headers *headers, const struct parameter *parameter,
                                 struct error *err)
{
    const char *value = parameter->value.data ? parameter->value.data : "";
    const char *language = strchr(value, '\'');
    const char *text = language ? strchr(language + 1, '\'') : NULL;
    if (headers->has_extended_filename || !text ||
        !is_word(value, (size_t)(language - value), "utf-8"))
        return error_set(err, ERROR_INVALID,
                         "Content-Disposition: filename* must be utf-8''..., once");
    AUTO_BUF struct buf decoded = {0};
    if (text_percent_decode(text + 1, strlen(text + 1), &decoded, err) < 0)
        return error_add_context(err, "Content-Disposition: filename*");
    free(headers->filename);
    headers->filename = buf_take(&decoded);
    headers->has_extended_filename = true;
    return 0;
}

static int set_parameter(struct part_headers *headers, struct parameter *parameter,
                         struct error *err)
{
    if (strcmp(parameter->name.data, "name") == 0)
        return set_text(&headers->name, parameter, err);
    if (strcmp(parameter->name.data, "filename*") == 0)
        return set_extended_filename(headers, parameter, err);
    if (strcmp(parameter->name.data, "filename") == 0 && !headers->has_extended_filename)
        return set_text(&headers->filename, parameter, err);
    return 0;
}

static int read_disposition(struct part_headers *headers, const char *value, size_t length,
                            struct error *err)
{
    if (headers->has_disposition)
        return error_set(err, ERROR_INVALID, "a part has two Content-Disposition headers");
    headers->has_disposition = true;

    const char *kind;
    size_t kind_length;
    struct parameters rest = parameters_begin(value, length, &kind, &kind_length);
    if (!is_word(kind, kind_length, "form-data"))
        return error_set(err, ERROR_INVALID, "a part's Content-Disposition must be form-data");

    AUTO_PARAMETER struct parameter parameter = {0};
    for (;;) {
        bool found;
        if (parameters_next(&rest, &parameter, &found, err) < 0)
            return error_add_context(err, "Content-Disposition");
        if (!found)
            return 0;
        if (set_parameter(headers, &parameter, err) < 0)
            return -1;
    }
}

static int check_encoding(const char *value, size_t length, struct error *err)
{
    if (is_word(value, length, "binary") || is_word(value, length, "8bit") ||
        is_word(value, length, "7bit"))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "a part's Content-Transfer-Encoding must be binary, 8bit or 7bit");
}

int part_headers_read(struct part_headers *headers, const char *line, size_t length,
                      struct error *err)
{
    const char *colon = memchr(line, ':', length);
    if (!colon || colon == line || *line == ' ' || *line == '\t')
        return error_set(err, ERROR_INVALID, "a part's header line has no name and \":\"");
    if (memchr(line, '\0', length))
        return error_set(err, ERROR_INVALID, "a part's header has a NUL character");

    size_t name_length = (size_t)(colon - line);
    const char *value;
    size_t value_length;
    parameters_begin(colon + 1, length - name_length - 1, &value, &value_length);
    if (is_word(line, name_length, "content-disposition"))
        return read_disposition(headers, colon + 1, length - name_length - 1, err);
    if (is_word(line, name_length, "content-transfer-encoding"))
        return check_encoding(value, value_length, err);
    if (is_word(line, name_length, "content-type") &&
        begins_with_word(value, value_length, "multipart/"))
        return error_set(err, ERROR_INVALID, "a part must not be multipart itself");
    return 0;
}

/* Printable ASCII, not ending in a space: RFC 2046 allows less, clients send more. */
static bool boundary_is_valid(const char *text, size_t length)
{
    if (length == 0 || length > MULTIPART_BOUNDARY_MAX || text[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return true;
}

int multipart_read_boundary(const char *content_type, char **ret_boundary, struct error *err)
{
    const char *kind = "";
    size_t kind_length = 0;
    struct parameters rest = {0};
    if (content_type)
        rest = parameters_begin(content_type, strlen(content_type), &kind, &kind_length);
    if (!is_word(kind, kind_length, "multipart/form-data"))
        return error_set(err, ERROR_INVALID, "Content-Type must be multipart/form-data");

    AUTO_PARAMETER struct parameter parameter = {0};
    AUTO_FREE char *boundary = NULL;
    for (;;) {
        bool found;
        if (parameters_next(&rest, &parameter, &found, err) < 0)
            return error_add_context(err, "Content-Type");
        if (!found)
            break;
        if (strcmp(parameter.name.data, "boundary") != 0)
            continue;
        if (boundary || !boundary_is_valid(parameter.value.data, parameter.value.length))
            return error_set(err, ERROR_INVALID,
                             "Content-Type: boundary must be 1 to %d printable characters, once",
                             MULTIPART_BOUNDARY_MAX);
        boundary = buf_take(&parameter.value);
    }
    if (!boundary)
        return error_set(err, ERROR_INVALID, "Content-Type: boundary is missing");
    *ret_boundary = TAKE(boundary);
    return 0;
}
