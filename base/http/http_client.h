/* http_client: HTTP requests over libcurl's multi interface, driven by the loop.
 *
 * Runs in: the agent. The only file that meets libcurl. Bodies stream both ways: a file is read
 * while it is sent, an answer is handed on as it arrives. Redirects are never followed, so a
 * credential goes only where the caller sent it. Answers are not decompressed. The answering side
 * is not trusted: its size and time are bounded by the request's own limits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"
#include "base/core/loop.h"

struct http_client;
struct http_exchange; /* one request and its answer, under way */

/* user_agent is copied. returned; NULL with *err set when libcurl cannot start */
struct http_client *http_client_create(struct loop *loop, const char *user_agent,
                                       struct error *err);
/* The certificate authorities in this file (PEM) are trusted from now on, in place of the
 * machine's. */
void http_client_trust(struct http_client *client, const char *path);
/* Ends what is under way without calling on_done. Not from inside a callback. */
void http_client_destroy(struct http_client *client);

/* A body of multipart/form-data with one part, read from a descriptor as it is sent. */
struct http_upload {
    const char *part_name;
    const char *filename;     /* quotes and line ends in it are escaped */
    const char *content_type; /* of the part */
    int fd;                   /* borrowed until on_done; read with pread from offset 0 */
    uint64_t length_bytes;    /* a file that turns out shorter ends the exchange with an error */
};

struct http_exchange_options {
    const char *method;         /* GET, POST, PUT, DELETE */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL; copied */
    const char *body;           /* borrowed until on_done; NULL: none */
    size_t body_length;
    const struct http_upload *upload; /* instead of a body; NULL: none; borrowed for the call */
    uint64_t answer_bytes_max;        /* a longer body is ERROR_LIMIT */
    int64_t connect_timeout_ms;
    int64_t total_timeout_ms; /* 0: none */
    int64_t stall_timeout_ms; /* longest time without a byte either way; 0: none */
};

/* All are called on the loop, never from inside http_client_start. on_done may start and cancel
 * exchanges; the other two may not. on_head and on_data return 0 to go on
 * or -1 with *err set, which ends the exchange with that error. */
struct http_exchange_handler {
    void *self;
    /* The status and the headers are there. May be NULL. */
    int (*on_head)(void *self, struct http_exchange *exchange, struct error *err);
    /* A piece of the answer's body, not kept. */
    int (*on_data)(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err);
    /* Last call: the answer is complete (failure is NULL, whatever the status says), or it is not.
     * The exchange is gone afterwards. */
    void (*on_done)(void *self, struct http_exchange *exchange, const struct error *failure);
};

/* ERROR_INVALID: the URL or the method cannot be used. */
int http_client_start(struct http_client *client, const struct http_exchange_options *options,
                      const struct http_exchange_handler *handler,
                      struct http_exchange **ret_exchange, struct error *err);
/* Ends it without calling on_done. Not from inside on_head and on_data: return -1 there. */
void http_exchange_cancel(struct http_exchange *exchange);

/* From on_head on; 0 before. */
unsigned http_exchange_status(const struct http_exchange *exchange);
/* The first header of that name, in any case; NULL where absent. Valid until the next call. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
/* Seconds from Retry-After, in either of its forms; -1 where absent. */
int64_t http_exchange_retry_after_s(const struct http_exchange *exchange);

/* Sees every exchange of a client, for recording. Called on the loop; must not start or cancel
 * exchanges. */
struct http_observer {
    void *self;
    /* An exchange begins. What it returns is what the others get as `seen`. */
    void *(*on_start)(void *self, const struct http_exchange_options *options);
    void (*on_head)(void *self, void *seen, const struct http_exchange *exchange);
    void (*on_data)(void *self, void *seen, const char *data, size_t length);
    /* Always the last, and before the handler's on_done; not complete where it failed or was
     * cancelled. */
    void (*on_end)(void *self, void *seen, bool is_complete);
};
/* Copied; NULL: none any more, and what is under way is seen to end at once. */
void http_client_observe(struct http_client *client, const struct http_observer *observer);

/* What a URL points at, read by the parser that the client itself uses. */
enum { HTTP_URL_BYTES_MAX = 8 * 1024, HTTP_HOST_BYTES_MAX = 256 };
struct http_url {
    bool is_https;
    bool is_loopback; /* localhost, 127.0.0.0/8 or ::1: always this machine, whatever DNS says */
    bool has_credentials; /* user:password@ */
    bool has_fragment;
    char host[HTTP_HOST_BYTES_MAX];
};
/* ERROR_INVALID: not an http or https URL. */
int http_url_read(const char *url, struct http_url *ret_url, struct error *err);
