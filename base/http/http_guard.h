/* http_guard: whether a request's head can be read in one way only.
 *
 * Two servers in a row that read a head differently can be made to disagree on where a request
 * ends; so whatever is ambiguous is refused. A guard is fed a head's headers in turn, then judges.
 * It allocates nothing and knows no sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/http/http_server.h"

/* Zeroed is a head without headers. */
struct http_guard {
    size_t headers;
    size_t header_bytes; /* as sent: name, ": ", value, line end */
    size_t hosts;
    const char *host; /* borrowed, until the head is judged */
    size_t host_length;
    size_t lengths;         /* Content-Length headers */
    size_t encodings;       /* Transfer-Encoding headers */
    bool length_is_wrong;   /* not a plain decimal number */
    bool encoding_is_wrong; /* other than exactly "chunked" */
    bool name_is_wrong;     /* not a token */
    bool value_is_wrong;    /* a control character */
};

/* Names and values are borrowed until the head is judged, and may hold any bytes. */
void http_guard_add(struct http_guard *guard, const char *name, size_t name_length,
                    const char *value, size_t value_length);

/* False with *ret_why and *ret_message (static) set when the request must be refused. version is
 * "HTTP/1.1" or "HTTP/1.0". */
bool http_guard_accepts(const struct http_guard *guard, const char *method, const char *target,
                        const char *version, enum http_refusal *ret_why, const char **ret_message);
