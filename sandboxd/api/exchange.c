#include "sandboxd/api/exchange.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/identifier.h"
#include "base/core/log.h"
#include "base/core/random.h"
#include "base/json/json.h"
#include "sandboxd/api/auth.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/request_head.h"
#include "sandboxd/link/session_link.h"

enum { CLIENT_REQUEST_ID_MAX = 128 };

const char exchange_no_room[] = "the answers that wait for their clients take all the memory there "
                                "is for them; ask again when some have been read";

static void make_trace_id(char ret_text[TRACE_TEXT_MAX])
{
    uint64_t halves[2];
    random_bytes(halves, sizeof halves);
    snprintf(ret_text, TRACE_TEXT_MAX, "%016" PRIx64 "%016" PRIx64, halves[0], halves[1]);
}

static struct exchange *exchange_create(struct front *front, struct http_request *request)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->front = front;
    exchange->request = request;
    exchange->started_us = clock_monotonic_us();
    exchange->body.limit = JSON_BYTES_MAX;
    make_trace_id(exchange->trace_id);
    http_request_set_data(request, exchange);
    front->exchanges++;
    return exchange;
}

void exchange_pin(struct exchange *exchange)
{
    exchange->pins++;
}

static void destroy_if_unused(struct exchange *exchange)
{
    if (exchange->request || exchange->pins > 0)
        return;
    exchange->front->exchanges--;
    exchange->front->answer_bytes -= exchange->reserved;
    if (exchange->held)
        session_release(exchange->held);
    if (exchange->pool)
        front_pool_release(front_pool_of(exchange->pool));
    http_target_clear(&exchange->target);
    buf_free(&exchange->body);
    free(exchange);
}

void exchange_unpin(struct exchange *exchange)
{
    exchange->pins--;
    destroy_if_unused(exchange);
}

static void end_sink(struct exchange *exchange)
{
    struct body_sink sink = exchange->sink;
    exchange->sink = (struct body_sink){0};
    if (sink.on_gone)
        sink.on_gone(sink.self);
}

/* Only what is safe in a header comes back. */
static bool is_echoable(const char *text)
{
    size_t length = 0;
    for (const char *p = text; *p; p++, length++) {
        if (!isgraph((unsigned char)*p))
            return false;
    }
    return length > 0 && length <= CLIENT_REQUEST_ID_MAX;
}

static bool is_arm(const struct exchange *exchange)
{
    return exchange->match.route && route_is_arm(exchange->match.route);
}

/* What every answer has. */
static void add_headers(const struct exchange *exchange, struct http_response *response)
{
    bool arm = is_arm(exchange);
    http_response_add(response, "api-supported-versions",
                      arm ? dialect_supported_arm_versions : dialect_supported_versions);
    if (arm)
        http_response_add(response, "x-ms-request-id", exchange->trace_id);
    http_response_add(response, "X-Content-Type-Options", "nosniff");
    const char *request_id = http_request_header(exchange->request, "x-ms-client-request-id");
    if (request_id && is_echoable(request_id))
        http_response_add(response, "x-ms-client-request-id", request_id);
}

void exchange_stream(struct exchange *exchange, struct http_response *response,
                     const struct http_source *source)
{
    add_headers(exchange, response);
    exchange->responded = true;
    exchange->status = response->status;
    http_request_stream(exchange->request, response, source);
}

bool exchange_reserve(struct exchange *exchange, size_t bytes)
{
    struct front *front = exchange->front;
    if (bytes <= FRONT_SMALL_ANSWER_BYTES || bytes <= exchange->reserved)
        return true;
    size_t more = bytes - exchange->reserved;
    if (front->answer_bytes + more > FRONT_ANSWER_BYTES_MAX)
        return false;
    front->answer_bytes += more;
    exchange->reserved = bytes;
    return true;
}

static void give_up_body(const struct exchange *exchange, struct http_response *response)
{
    free(response->body);
    *response = (struct http_response){.close = response->close};
    problem_write(SERVICE_UNAVAILABLE, NULL, exchange_no_room, exchange->trace_id, response);
}

void exchange_respond(struct exchange *exchange, struct http_response *response)
{
    if (!exchange->request || exchange->responded) {
        free(response->body);
        if (response->has_file)
            close(response->file_fd);
        return;
    }
    if (response->body && !exchange_reserve(exchange, response->body_length))
        give_up_body(exchange, response);
    add_headers(exchange, response);
    exchange->responded = true;
    exchange->status = response->status;
    exchange->bytes_sent = response->has_file ? response->file_length : response->body_length;
    exchange_pin(exchange);
    http_request_respond(exchange->request, response);
    end_sink(exchange);
    exchange_unpin(exchange);
}

void exchange_respond_json(struct exchange *exchange, unsigned status, struct buf *body)
{
    struct http_response response = {.status = status, .body_length = body->length};
    response.body = buf_take(body);
    http_response_add(&response, "Content-Type", "application/json; charset=utf-8");
    exchange_respond(exchange, &response);
}

void exchange_respond_written(struct exchange *exchange, int written, struct buf *body,
                              const struct error *err)
{
    if (written < 0)
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err->message);
    else
        exchange_respond_json(exchange, 200, body);
}

void exchange_respond_empty(struct exchange *exchange, unsigned status)
{
    struct http_response response = {.status = status};
    exchange_respond(exchange, &response);
}

void exchange_fail(struct exchange *exchange, enum service_code code, const char *target,
                   const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    struct http_response response = {.close = code == SERVICE_REQUEST_TOO_LARGE};
    problem_write(is_arm(exchange) ? problem_of_arm(code) : code, target, message,
                  exchange->trace_id, &response);
    exchange_respond(exchange, &response);
}

bool exchange_check_identifier(struct exchange *exchange, const char *identifier)
{
    if (identifier && identifier_is_valid(identifier, strlen(identifier)))
        return true;
    exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "identifier",
                  "identifier %s: give 4 to 128 printable ASCII characters without spaces",
                  identifier ? "is malformed" : "is missing");
    return false;
}

struct session *exchange_obtain_session(struct exchange *exchange, const char *identifier,
                                        bool *ret_new)
{
    struct error err = {0};
    struct session *session = NULL;
    if (!exchange_check_identifier(exchange, identifier))
        return NULL;
    if (exchange->front->stopping) {
        exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "the daemon is stopping");
        return NULL;
    }
    if (pool_obtain_session(exchange->pool, identifier, &session, ret_new, &err) < 0) {
        if (err.code == ERROR_MISSING) {
            exchange_fail(exchange, SERVICE_POOL_NOT_FOUND, NULL, "%s", err.message);
            return NULL;
        }
        exchange_fail(exchange,
                      exchange->front->api.pool_full_is_404 ? SERVICE_POOL_FULL_MISSING
                                                            : SERVICE_POOL_FULL,
                      NULL, "%s", err.message);
        return NULL;
    }
    exchange->session_number = session_link_of(session)->number;
    return session;
}

void exchange_write_url(const struct exchange *exchange, struct buf *out)
{
    const char *path = http_request_target(exchange->request);
    const char *scheme_end = *path == '/' ? NULL : strstr(path, "://"); /* as a proxy sends it */
    if (scheme_end)
        path = scheme_end + 3 + strcspn(scheme_end + 3, "/?#");
    size_t length = strcspn(path, "?#");
    while (length > 0 && path[length - 1] == '/')
        length--;
    char origin[AUTH_ORIGIN_MAX];
    auth_write_origin(exchange, origin);
    buf_printf(out, "%s%.*s", origin, (int)length, path);
}

/* ---- the server's callbacks ---- */

static void on_head(void *self, struct http_request *request)
{
    struct exchange *exchange = exchange_create(self, request);
    if (request_head_read(exchange) && exchange->match.route->body == ROUTE_BODY_STREAM)
        exchange->match.route->handle(exchange);
}

static void on_body(void *self, struct http_request *request, const char *data, size_t length)
{
    (void)self;
    struct exchange *exchange = http_request_data(request);
    exchange->bytes_received += length;
    if (exchange->sink.on_data)
        exchange->sink.on_data(exchange->sink.self, data, length);
    else if (exchange->match.route->body == ROUTE_BODY_WHOLE &&
             !buf_append(&exchange->body, data, length))
        exchange_fail(exchange, SERVICE_REQUEST_TOO_LARGE, NULL,
                      "the body is larger than %d bytes; upload data as a file", JSON_BYTES_MAX);
}

static void on_end(void *self, struct http_request *request)
{
    (void)self;
    struct exchange *exchange = http_request_data(request);
    if (exchange->sink.on_end)
        exchange->sink.on_end(exchange->sink.self);
    else if (exchange->match.route->body != ROUTE_BODY_STREAM)
        exchange->match.route->handle(exchange);
}

static void log_request(const struct exchange *exchange)
{
    const struct route *route = exchange->match.route;
    /* In a request that was refused any bytes may stand where the method should. */
    const char *method = exchange->refused ? "-" : http_request_method(exchange->request);
    char session[32] = "-";
    if (exchange->session_number)
        snprintf(session, sizeof session, "s-%" PRIu64, exchange->session_number);
    log_info(
        "request.finished",
        "trace=%s method=%s route=%s pool=%s session=%s status=%u wall_ms=%.3f bytes_in=%" PRIu64
        " bytes_out=%" PRIu64,
        exchange->trace_id, method, route ? route->pattern : "-",
        exchange->pool ? exchange->pool->settings.name : "-", session, exchange->status,
        (double)(clock_monotonic_us() - exchange->started_us) / 1e3, exchange->bytes_received,
        exchange->bytes_sent);
}

static void on_gone(void *self, struct http_request *request)
{
    (void)self;
    struct exchange *exchange = http_request_data(request);
    if (!exchange)
        return;
    log_request(exchange);
    exchange_pin(exchange);
    exchange->request = NULL;
    end_sink(exchange);
    exchange_unpin(exchange);
}

static void on_hang_up(void *self, struct http_request *request)
{
    (void)self;
    end_sink(http_request_data(request));
}

static void on_refused(void *self, struct http_request *request, enum http_refusal why,
                       const char *message)
{
    struct exchange *exchange = exchange_create(self, request);
    bool headers = why == HTTP_REFUSED_HEADERS;
    exchange->refused = true;
    struct http_response response = {.close = true};
    problem_write(headers ? SERVICE_HEADERS_TOO_LARGE : SERVICE_VALIDATION_FAILED,
                  headers ? "headers" : "request", message, exchange->trace_id, &response);
    exchange_respond(exchange, &response);
}

const struct http_handler exchange_handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_gone = on_gone,
    .on_hang_up = on_hang_up,
    .on_refused = on_refused,
};
