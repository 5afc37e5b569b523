/* exchange: one HTTP request from its head to the last byte of its answer.
 *
 * Handlers read what the request asks for here and answer through it. A handler whose answer comes
 * later pins the exchange: it then outlives a client that hangs up, and the answer to nobody is
 * dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/http/http_server.h"
#include "base/http/http_target.h"
#include "sandboxd/api/dialect.h"
#include "sandboxd/api/problem.h"
#include "sandboxd/api/router.h"
#include "sandboxd/pool/pool.h"

struct front;

enum { TRACE_TEXT_MAX = 33 };

/* Takes the body of a ROUTE_BODY_STREAM request as it comes. */
struct body_sink {
    void (*on_data)(void *self, const char *data, size_t length);
    void (*on_end)(void *self);
    void (*on_gone)(void *self); /* the client went away or was answered: nothing more comes */
    void *self;
};

struct exchange {
    struct front *front;
    struct http_request *request; /* NULL: nobody is there to be answered */
    struct http_target target;
    struct route_match match;
    struct pool *pool; /* held; NULL where the route is about none */
    enum api_version version;
    enum wire_generation generation;
    const char *identifier; /* from query or header; NULL: only a JSON body may still have it */
    struct buf body;        /* ROUTE_BODY_WHOLE */
    struct body_sink sink;
    struct session *held; /* NULL, or released with the exchange, when the answer has been sent */
    char trace_id[TRACE_TEXT_MAX];
    size_t reserved; /* bytes of memory for its answer */
    unsigned pins;
    bool responded;
    bool refused; /* before it was read */
    /* for the log line */
    int64_t started_us;
    uint64_t session_number; /* 0: none */
    uint64_t bytes_received;
    uint64_t bytes_sent;
    unsigned status;
};

/* The callbacks of the HTTP server; self is the struct front. */
extern const struct http_handler exchange_handler;

/* While pinned it stays in memory. */
void exchange_pin(struct exchange *exchange);
void exchange_unpin(struct exchange *exchange);

/* Answers, if anybody is there: headers that every answer has are added. The response's body and
 * file are taken in any case. */
void exchange_respond(struct exchange *exchange, struct http_response *response);
/* Answers with a body from the source, which may be read until the sink's on_gone: an exchange that
 * is streamed keeps its sink. */
void exchange_stream(struct exchange *exchange, struct http_response *response,
                     const struct http_source *source);
/* Room for an answer of that many bytes in all, until the exchange ends. False when the answers
 * that wait for their clients have no room for it: clients that do not read must not take all
 * memory. */
bool exchange_reserve(struct exchange *exchange, size_t bytes);
/* What a client is told then. */
extern const char exchange_no_room[];
/* body is emptied. */
void exchange_respond_json(struct exchange *exchange, unsigned status, struct buf *body);
/* After a writer of base/json/wire.h: its body, or the error with which it returned -1. */
void exchange_respond_written(struct exchange *exchange, int written, struct buf *body,
                              const struct error *err);
void exchange_respond_empty(struct exchange *exchange, unsigned status);
void exchange_fail(struct exchange *exchange, enum service_code code, const char *target,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* False when it is missing (NULL) or malformed; the exchange has then been answered. */
bool exchange_check_identifier(struct exchange *exchange, const char *identifier);

/* Its own URL, absolute, as it has come, without the query and slashes at the end. */
void exchange_write_url(const struct exchange *exchange, struct buf *out);

/* The session that the request is about, allocated if need be; NULL after having answered with what
 * is wrong. identifier is checked. */
struct session *exchange_obtain_session(struct exchange *exchange, const char *identifier,
                                        bool *ret_new);
