#include "sandboxd/identity/audience.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/core/text.h"

/* Semantic Kernel and older clients ask for acasessions.io; the Azure CLI for core.windows.net. */
static const char *const service_audiences[2][2] = {
    [AUDIENCE_DATA] = {"https://dynamicsessions.io", "https://acasessions.io"},
    [AUDIENCE_ARM] = {"https://management.azure.com", "https://management.core.windows.net"},
};

void audience_list(enum audience_plane plane, const char *own_origin,
                   const char *ret_audiences[AUDIENCES_MAX])
{
    ret_audiences[0] = service_audiences[plane][0];
    ret_audiences[1] = service_audiences[plane][1];
    ret_audiences[2] = own_origin;
    ret_audiences[3] = NULL;
}

static size_t length_without_slash(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && text[length - 1] == '/' ? length - 1 : length;
}

static bool is_service_audience(const char *resource, size_t length)
{
    for (int plane = AUDIENCE_DATA; plane <= AUDIENCE_ARM; plane++) {
        for (int i = 0; i < 2; i++) {
            const char *audience = service_audiences[plane][i];
            if (strlen(audience) == length && strncasecmp(audience, resource, length) == 0)
                return true;
        }
    }
    return false;
}

/* Of "localhost:8901" and "[::1]:8901": without the port. */
static size_t host_length(const char *authority, size_t length)
{
    const char *end = *authority == '[' ? memchr(authority, ']', length) : NULL;
    const char *from = end ? end : authority;
    const char *colon = memchr(from, ':', length - (size_t)(from - authority));
    return colon ? (size_t)(colon - authority) : length;
}

static bool is_host(const char *authority, size_t length, const char *host, size_t wanted)
{
    return length == wanted && strncasecmp(authority, host, wanted) == 0;
}

static bool is_own_host(const char *authority, size_t length, const char *request_host)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        if (is_host(authority, length, loopback[i], strlen(loopback[i])))
            return true;
    }
    return request_host && *request_host &&
           is_host(authority, length, request_host,
                   host_length(request_host, strlen(request_host)));
}

bool audience_is_issued(const char *resource, const char *host)
{
    size_t length = length_without_slash(resource);
    if (is_service_audience(resource, length))
        return true;

    size_t scheme = text_starts_with(resource, "https://")  ? strlen("https://")
                    : text_starts_with(resource, "http://") ? strlen("http://")
                                                            : 0;
    if (scheme == 0 || scheme >= length || memchr(resource + scheme, '/', length - scheme))
        return false;
    const char *authority = resource + scheme;
    return is_own_host(authority, host_length(authority, length - scheme), host);
}
