#include "base/http/http_guard.h"

#include <string.h>
#include <strings.h>

enum {
    HTTP_HEADER_OVERHEAD = 4,    /* ": " and the line end */
    HTTP_LENGTH_DIGITS_MAX = 18, /* any such number fits 64 bits */
};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static bool is_name(const char *data, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(data, name, length) == 0;
}

/* A token of RFC 9110, 5.6.2. */
static bool is_token(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !(c && strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return length > 0;
}

static bool has_control(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return true;
    }
    return false;
}

static bool is_length(const char *data, size_t length)
{
    if (length == 0 || length > HTTP_LENGTH_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (data[i] < '0' || data[i] > '9')
            return false;
    }
    return true;
}

void http_guard_add(struct http_guard *guard, const char *name, size_t name_length,
                    const char *value, size_t value_length)
{
    guard->headers++;
    guard->header_bytes += name_length + value_length + HTTP_HEADER_OVERHEAD;
    guard->name_is_wrong |= !is_token(name, name_length);
    guard->value_is_wrong |= has_control(value, value_length);
    if (is_name(name, name_length, "Host")) {
        guard->hosts++;
        guard->host = value;
        guard->host_length = value_length;
    }
    if (is_name(name, name_length, "Content-Length")) {
        guard->lengths++;
        guard->length_is_wrong |= !is_length(value, value_length);
    }
    if (is_name(name, name_length, "Transfer-Encoding")) {
        guard->encodings++;
        guard->encoding_is_wrong |= !is_name(value, value_length, "chunked");
    }
}

static bool method_is_known(const char *method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(method, methods[i]) == 0)
            return true;
    }
    return false;
}

static bool target_is_plain(const char *target)
{
    for (; *target; target++) {
        if (*target <= ' ' || *target > '~')
            return false;
    }
    return true;
}

/* A target that is a whole URL names a host too. */
static bool hosts_agree(const struct http_guard *guard, const char *target)
{
    if (*target == '/')
        return true;
    const char *authority = strstr(target, "://");
    if (!authority || guard->hosts == 0)
        return true;
    authority += strlen("://");
    size_t length = strcspn(authority, "/?");
    return length == guard->host_length && strncasecmp(authority, guard->host, length) == 0;
}

/* NULL when the body's length can be read in one way only. */
static const char *framing_problem(const struct http_guard *guard, bool is_version_1_0)
{
    if (guard->name_is_wrong)
        return "a header's name holds a byte that names cannot have";
    if (guard->value_is_wrong)
        return "a header's value holds a control character";
    if (guard->lengths > 0 && guard->encodings > 0)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (guard->lengths > 1)
        return "Content-Length is there more than once";
    if (guard->length_is_wrong)
        return "Content-Length must be a decimal number";
    if (guard->encodings > 1 || guard->encoding_is_wrong)
        return "Transfer-Encoding must be chunked and nothing else";
    if (guard->encodings > 0 && is_version_1_0)
        return "HTTP/1.0 has no Transfer-Encoding";
    if (guard->hosts > 1 || (guard->hosts == 0 && !is_version_1_0))
        return "Host must be there once";
    if (guard->hosts == 1 && guard->host_length == 0)
        return "Host must not be empty";
    return NULL;
}

bool http_guard_accepts(const struct http_guard *guard, const char *method, const char *target,
                        const char *version, enum http_refusal *ret_why, const char **ret_message)
{
    *ret_why = HTTP_REFUSED_HEADERS;
    *ret_message = "the request has more than 100 headers or 32 KiB of them";
    if (guard->headers > HTTP_HEADERS_MAX || guard->header_bytes > HTTP_HEADER_BYTES_MAX)
        return false;

    *ret_why = HTTP_REFUSED_FRAMING;
    *ret_message = framing_problem(guard, strcmp(version, "HTTP/1.0") == 0);
    if (*ret_message)
        return false;

    *ret_message = "the version must be HTTP/1.1 or HTTP/1.0";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return false;

    *ret_why = HTTP_REFUSED_METHOD;
    *ret_message = "the method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS";
    if (!method_is_known(method))
        return false;

    *ret_why = HTTP_REFUSED_TARGET;
    *ret_message = "the request target is longer than 8 KiB";
    if (strlen(target) > HTTP_TARGET_BYTES_MAX)
        return false;
    *ret_message = "the request target holds a byte that no URL has; percent-encode it";
    if (!target_is_plain(target))
        return false;
    *ret_message = "the request target names another host than the header Host";
    return hosts_agree(guard, target);
}
