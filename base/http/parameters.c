#include "base/http/parameters.h"

#include <ctype.h>
#include <string.h>

void parameter_free(struct parameter *parameter)
{
    buf_free(&parameter->name);
    buf_free(&parameter->value);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct parameters *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

/* Up to a separator or the end, without the blanks around it. */
static void take_until(struct parameters *p, const char *separators, const char **ret_start,
                       size_t *ret_length)
{
    skip_blanks(p);
    const char *start = p->at;
    while (p->at < p->end && !(*p->at && strchr(separators, *p->at)))
        p->at++;
    const char *end = p->at;
    while (end > start && is_blank(end[-1]))
        end--;
    *ret_start = start;
    *ret_length = (size_t)(end - start);
}

struct parameters parameters_begin(const char *value, size_t length, const char **ret_value,
                                   size_t *ret_length)
{
    struct parameters parameters = {.at = value, .end = value + length};
    take_until(&parameters, ";", ret_value, ret_length);
    return parameters;
}

static int take_name(struct parameters *p, struct buf *name, struct error *err)
{
    const char *start;
    size_t length;
    take_until(p, "=;", &start, &length);
    if (length == 0 || p->at == p->end || *p->at != '=')
        return error_set(err, ERROR_INVALID, "a parameter has no name or no \"=\"");
    p->at++;
    for (size_t i = 0; i < length; i++) {
        char lower = (char)tolower((unsigned char)start[i]);
        if (!buf_append(name, &lower, 1))
            return error_set(err, ERROR_LIMIT, "out of memory");
    }
    return 0;
}

/* After the opening quote. A backslash stands before a quote or a backslash; old browsers send
 * paths such as C:\a, where it stands for itself. */
static int take_quoted(struct parameters *p, struct buf *value, struct error *err)
{
    while (p->at < p->end) {
        char c = *p->at++;
        if (c == '"')
            return 0;
        if (c == '\\' && p->at < p->end && (*p->at == '"' || *p->at == '\\'))
            c = *p->at++;
        if (!buf_append(value, &c, 1))
            return error_set(err, ERROR_LIMIT, "out of memory");
    }
    return error_set(err, ERROR_INVALID, "a quoted value is not closed");
}

static int take_bare(struct parameters *p, struct buf *value, struct error *err)
{
    const char *start;
    size_t length;
    take_until(p, ";", &start, &length);
    if (memchr(start, '"', length))
        return error_set(err, ERROR_INVALID, "a value has a quote in its middle");
    if (!buf_append(value, start, length))
        return error_set(err, ERROR_LIMIT, "out of memory");
    return 0;
}

int parameters_next(struct parameters *p, struct parameter *parameter, bool *ret_found,
                    struct error *err)
{
    *ret_found = false;
    buf_clear(&parameter->name);
    buf_clear(&parameter->value);

    /* A ";" with nothing behind it is common and harmless. */
    for (skip_blanks(p); p->at < p->end && *p->at == ';'; skip_blanks(p))
        p->at++;
    if (p->at == p->end)
        return 0;

    if (take_name(p, &parameter->name, err) < 0)
        return -1;
    skip_blanks(p);
    parameter->was_quoted = p->at < p->end && *p->at == '"';
    if (parameter->was_quoted) {
        p->at++;
        if (take_quoted(p, &parameter->value, err) < 0)
            return -1;
        skip_blanks(p);
        if (p->at < p->end && *p->at != ';')
            return error_set(err, ERROR_INVALID, "something follows a quoted value");
    } else if (take_bare(p, &parameter->value, err) < 0) {
        return -1;
    }
    *ret_found = true;
    return 0;
}
