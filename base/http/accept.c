#include "base/http/accept.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

static bool is_word(const char *at, size_t length, const char *word, size_t word_length)
{
    return length == word_length && strncasecmp(at, word, word_length) == 0;
}

/* "q=0", "q=0.000" among the parameters, which begin at the first ";". */
static bool is_excluded(const char *at, const char *end)
{
    while (at < end && *at == ';') {
        at = skip_blanks(at + 1);
        size_t length = strcspn(at, ";,");
        if (length > 2 && strncasecmp(at, "q=0", 3) == 0 && strspn(at + 2, "0. \t") >= length - 2)
            return true;
        at += length;
    }
    return false;
}

/* How closely an element's range covers the type. */
static enum accept_match cover(const char *range, size_t length, const char *type)
{
    size_t major = (size_t)(strchr(type, '/') - type) + 1;
    if (is_word(range, length, type, strlen(type)))
        return ACCEPT_BY_NAME;
    bool any = is_word(range, length, "*/*", 3);
    bool any_minor =
        length == major + 1 && range[major] == '*' && strncasecmp(range, type, major) == 0;
    return any || any_minor ? ACCEPT_BY_RANGE : ACCEPT_NOT;
}

enum accept_match accept_find(const char *accept, const char *type)
{
    if (!accept || !*skip_blanks(accept))
        return ACCEPT_BY_RANGE;
    /* A name decides against ranges, and a range with a major type against the one without. */
    enum accept_match closest = ACCEPT_NOT, found = ACCEPT_NOT;
    size_t closest_length = 0;
    for (const char *at = accept; *at; at += *at == ',') {
        at = skip_blanks(at);
        const char *end = at + strcspn(at, ",");
        size_t length = strcspn(at, ";, \t");
        enum accept_match match = cover(at, length, type);
        if (match > closest || (match && match == closest && length > closest_length)) {
            const char *parameters = skip_blanks(at + length);
            closest = match;
            closest_length = length;
            found = is_excluded(parameters, end) ? ACCEPT_NOT : match;
        }
        at = end;
    }
    return found;
}
