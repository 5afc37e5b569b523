#include "sandboxd/api/origin.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/core/text.h"

/* "http://HOST" or "https://HOST", where HOST is the request's own Host header. */
static bool is_same_origin(const char *origin, const char *host)
{
    const char *rest = strstr(origin, "://");
    return rest && host && text_equal_ignoring_case(rest + 3, host);
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* RFC 6761: never asked of a name server. */
static bool is_localhost(const char *host, size_t length)
{
    static const char suffix[] = ".localhost";
    size_t suffix_length = sizeof suffix - 1;
    return is_word(host, length, suffix + 1) ||
           (length > suffix_length &&
            is_word(host + length - suffix_length, suffix_length, suffix));
}

/* An address cannot be rebound. */
static bool is_address(const char *host, size_t length)
{
    return host[0] == '[' || strspn(host, "0123456789.") == length;
}

static bool is_ours(const struct origin_names *names, const char *host)
{
    size_t length = strcspn(host, ":");
    if (is_address(host, length) || is_localhost(host, length))
        return true;
    for (size_t i = 0; i < names->count; i++) {
        if (is_word(host, length, names->items[i]))
            return true;
    }
    return false;
}

int origin_check(const struct origin_names *names, const char *host, const char *origin,
                 const char *fetch_site, struct error *err)
{
    if (host && !is_ours(names, host))
        return error_set(err, ERROR_DENIED,
                         "\"%.100s\" in the Host header is no name of this daemon; reach it as "
                         "localhost or by its address, or start it with --host for that name",
                         host);
    if (origin && !is_same_origin(origin, host))
        return error_set(err, ERROR_DENIED,
                         "requests from web pages of another origin are refused");
    if (fetch_site && !text_equal_ignoring_case(fetch_site, "same-origin") &&
        !text_equal_ignoring_case(fetch_site, "none"))
        return error_set(err, ERROR_DENIED, "requests from web pages of another site are refused");
    return 0;
}
