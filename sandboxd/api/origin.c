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

/* Addresses and localhost cannot be rebound; any other name could be, in a browser. */
static bool is_address(const char *host)
{
    size_t length = strcspn(host, ":");
    bool localhost = length == 9 && strncasecmp(host, "localhost", 9) == 0;
    return localhost || host[0] == '[' || strspn(host, "0123456789.") == length;
}

int origin_check(const char *host, const char *origin, const char *fetch_site, struct error *err)
{
    bool browser = origin || fetch_site;
    if (!browser)
        return 0;
    if (origin && !is_same_origin(origin, host))
        return error_set(err, ERROR_DENIED,
                         "requests from web pages of another origin are refused");
    if (fetch_site && !text_equal_ignoring_case(fetch_site, "same-origin") &&
        !text_equal_ignoring_case(fetch_site, "none"))
        return error_set(err, ERROR_DENIED, "requests from web pages of another site are refused");
    if (!host || !is_address(host))
        return error_set(err, ERROR_DENIED,
                         "browsers may reach this daemon by its address or as localhost only");
    return 0;
}
