/* http_server: HTTP/1.1 on one listening socket, plain or by TLS, driven by the loop, one thread.
 *
 * Runs in: the front. The only file that meets libmicrohttpd. Bodies stream: no request makes it
 * hold more than a few kilobytes. Heads pass http_guard before the handler sees them: ambiguous
 * framing, too many or too large headers, an overlong target and a late head are answered here
 * through on_refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/core/error.h"
#include "base/core/loop.h"

struct http_server;
struct http_request;

/* Why the server itself refuses a request before the handler has seen it. */
enum http_refusal {
    HTTP_REFUSED_FRAMING, /* 400: Content-Length and Transfer-Encoding, two lengths, an encoding
                             other than chunked... */
    HTTP_REFUSED_HEADERS, /* 431: more than HTTP_HEADERS_MAX or HTTP_HEADER_BYTES_MAX */
    HTTP_REFUSED_TARGET, /* 400: longer than HTTP_TARGET_BYTES_MAX, or with bytes that no URL has */
    HTTP_REFUSED_METHOD, /* 400: not one of the methods we know */
};

enum {
    HTTP_HEADERS_MAX = 100,
    HTTP_HEADER_BYTES_MAX = 32 * 1024,
    HTTP_TARGET_BYTES_MAX = 8 * 1024,
    HTTP_HEAD_DEADLINE_MS = 10000,
    HTTP_DRAIN_BYTES_MAX = 256 * 1024 * 1024, /* of a body whose answer is already known */
};

/* The handler. All are called on the loop. on_refused must respond at once. */
struct http_handler {
    void *self;
    /* The head is complete. Usually routes and remembers its state with http_request_set_data. May
     * respond at once: the body is then drained (to a cap) and ignored. */
    void (*on_head)(void *self, struct http_request *request);
    /* A piece of the body, not kept. Not called after a response was given or while held. */
    void (*on_body)(void *self, struct http_request *request, const char *data, size_t length);
    /* The body is complete: respond now or later. Not called after a response was given. */
    void (*on_end)(void *self, struct http_request *request);
    /* Last call for a request: answered and sent, or the client vanished; after this the pointer is
     * dead. A client that hangs up while its request is parked is noticed only when the response is
     * given, or by http_request_watch_hang_up. */
    void (*on_gone)(void *self, struct http_request *request);
    /* A watched request's client has hung up: http_request_watch_hang_up. May be NULL otherwise. */
    void (*on_hang_up)(void *self, struct http_request *request);
    void (*on_refused)(void *self, struct http_request *request, enum http_refusal why,
                       const char *message);
};

struct http_server_options {
    int listen_fd; /* borrowed, listening, non-blocking */
    unsigned connections_max;
    int idle_timeout_s; /* keep-alive connections and stalled bodies; parked requests never time out
                         */
    /* PEM texts, borrowed for the call; both or neither. With them the server speaks TLS 1.2 and
     * later and nothing else. */
    const char *certificate_pem; /* its chain may follow it */
    const char *key_pem;
};

/* returned; NULL with *err: ERROR_INVALID when certificate and key cannot be used */
struct http_server *http_server_create(struct loop *loop, const struct http_server_options *options,
                                       const struct http_handler *handler, struct error *err);
/* Ends every connection; on_gone is called for each request. */
void http_server_destroy(struct http_server *server);
/* Accepts no more connections; those there are may finish. */
void http_server_quiesce(struct http_server *server);
/* Open connections, for "has everything been answered". */
unsigned http_server_connections(const struct http_server *server);

const char *http_request_method(const struct http_request *request);
/* As it came: not decoded, query included. */
const char *http_request_target(const struct http_request *request);
/* Name in any case; NULL where absent; the first of several. Borrowed until on_gone. */
const char *http_request_header(const struct http_request *request, const char *name);
bool http_request_is_tls(const struct http_request *request);
/* Has it come over the loopback, from a process of this machine? A proxy here speaks for others. */
bool http_request_is_local(const struct http_request *request);
/* -1: not known (chunked). 0: no body. */
int64_t http_request_content_length(const struct http_request *request);
void http_request_set_data(struct http_request *request, void *data);
void *http_request_data(const struct http_request *request);

/* Stops on_body and on_end until http_request_continue: back-pressure reaches the client. */
void http_request_hold(struct http_request *request);
void http_request_continue(struct http_request *request);

/* For a request that is parked or whose answer is produced over time: on_hang_up is called once
 * when the client ends its side of the stream, unless a whole answer comes first. */
void http_request_watch_hang_up(struct http_request *request);

/* A response being built. One of body or fd. */
enum { HTTP_RESPONSE_HEADERS_MAX = 24 };
struct http_response {
    unsigned status;
    const char *header_names[HTTP_RESPONSE_HEADERS_MAX];  /* borrowed for the call */
    const char *header_values[HTTP_RESPONSE_HEADERS_MAX]; /* borrowed for the call */
    size_t headers;
    char *body; /* taken (malloc'ed); may be NULL */
    size_t body_length;
    bool has_file; /* send file_length bytes of file_fd from its start; the descriptor is taken. A
                      file that has fewer by then ends the connection */
    int file_fd;
    uint64_t file_length;
    bool close; /* end the connection afterwards */
};
/* Adds a header to a response being built. */
void http_response_add(struct http_response *response, const char *name, const char *value);

/* Answers. Exactly once per request, at any time from on_head to on_gone. The struct may go
 * afterwards. */
void http_request_respond(struct http_request *request, struct http_response *response);

/* A body that is produced over time, no faster than its client takes it. */
enum { HTTP_SOURCE_END = -1, HTTP_SOURCE_BREAK = -2 };
struct http_source {
    /* Writes up to `room` bytes and returns how many. 0: there are none now, and http_request_wake
     * tells when to ask again. HTTP_SOURCE_END: that was all. HTTP_SOURCE_BREAK: there should be
     * more, and the connection ends so that the client sees that. Not called after on_gone. */
    ssize_t (*read)(void *self, char *data, size_t room);
    void *self;
};
/* Answers with the head of a response and a body from the source, instead of
 * http_request_respond. */
void http_request_stream(struct http_request *request, struct http_response *response,
                         const struct http_source *source);
/* The source of a streamed answer has bytes, or its end, to give. Harmless when it has not. */
void http_request_wake(struct http_request *request);
