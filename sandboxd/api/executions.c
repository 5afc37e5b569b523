#include "sandboxd/api/executions.h"

#include <ctype.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/wire.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/execution.h"
#include "sandboxd/api/execution_resource.h"
#include "sandboxd/api/execution_stream.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/timing.h"
#include "sandboxd/link/session_link.h"

/* ---- the answer ---- */

static void respond(const struct execution *execution, struct exchange *exchange, unsigned status,
                    struct buf *body)
{
    struct timing timing = {0};
    struct http_response response = {.status = status, .body_length = body->length};
    response.body = buf_take(body);
    http_response_add(&response, "Content-Type", "application/json; charset=utf-8");
    timing_add_headers(&timing, execution, exchange->started_us, clock_monotonic_us(), &response);
    http_response_add(&response, "x-ms-session-guid", execution->session_guid);
    if (exchange->generation == WIRE_GENERATION_2)
        http_response_add(&response, "operation-id", execution->id);
    exchange_respond(exchange, &response);
}

static void respond_finished(const struct execution *execution, struct exchange *exchange)
{
    bool accepted =
        exchange->generation == WIRE_GENERATION_2 && exchange->version == API_2024_10_02;
    struct error err = {0};
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    if (execution_resource_write(execution, exchange, &body, &err) < 0)
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
    else
        respond(execution, exchange, accepted ? 202 : 200, &body);
}

/* The answer to a request that only asks about the execution, or does not wait for it. */
static void respond_resource(const struct execution *execution, struct exchange *exchange,
                             unsigned status, const char *location)
{
    struct error err = {0};
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    if (execution_resource_write(execution, exchange, &body, &err) < 0) {
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
        return;
    }
    struct http_response response = {.status = status, .body_length = body.length};
    response.body = buf_take(&body);
    http_response_add(&response, "Content-Type", "application/json; charset=utf-8");
    http_response_add(&response, "operation-id", execution->id);
    if (location)
        http_response_add(&response, "operation-location", location);
    exchange_respond(exchange, &response);
}

/* ---- while the request waits ---- */

static void on_over(void *self, struct execution *execution)
{
    struct exchange *exchange = self;
    respond_finished(execution, exchange);
    exchange_unpin(exchange);
}

static void on_lost(void *self, struct execution *execution, const struct error *err)
{
    struct exchange *exchange = self;
    (void)execution;
    exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
    exchange_unpin(exchange);
}

/* The client has hung up, or was answered. */
static void on_client_gone(void *self)
{
    struct execution *execution = self;
    const struct exchange *exchange = execution->watcher.self;
    if (!exchange->responded)
        execution_stop(execution);
}

/* ---- the request ---- */

static bool read_body(struct exchange *exchange, struct wire_execution_request *request)
{
    struct error err = {0};
    const char *target = NULL;
    const char *body = exchange->body.data ? exchange->body.data : "";
    if (wire_read_execution_request(body, exchange->body.length, request, &target, &err) < 0) {
        enum service_code code = err.code == ERROR_MISSING ? SERVICE_PROPERTIES_MISSING
                                 : err.code == ERROR_LIMIT ? SERVICE_REQUEST_TOO_LARGE
                                                           : SERVICE_VALIDATION_FAILED;
        exchange_fail(exchange, code, target ? target : "body", "%s", err.message);
        return false;
    }
    buf_free(&exchange->body);
    if (request->asynchronous && exchange->generation != WIRE_GENERATION_2) {
        exchange_fail(exchange, SERVICE_NOT_SUPPORTED, "executionType",
                      "this path runs synchronous executions only; use POST executions");
        return false;
    }
    return true;
}

/* The client's own name for the execution; NULL where it has none. */
static bool read_id(struct exchange *exchange, const char **ret_id)
{
    const char *id = http_request_header(exchange->request, "operation-id");
    size_t length = 0;
    while (id && isgraph((unsigned char)id[length]))
        length++;
    if (id && (id[length] || length > EXECUTION_ID_MAX)) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "operation-id",
                      "operation-id must be 1 to %d printable ASCII characters without spaces",
                      EXECUTION_ID_MAX);
        return false;
    }
    *ret_id = length > 0 ? id : NULL;
    return true;
}

/* When the request gets its answer. */
enum reply {
    REPLY_WHEN_OVER,
    REPLY_BY_EVENTS, /* from its beginning on */
    REPLY_AT_ONCE,   /* where to ask about it */
};

static enum reply reply_to(const struct exchange *exchange,
                           const struct wire_execution_request *request)
{
    if (request->asynchronous)
        return REPLY_AT_ONCE;
    return execution_stream_is_wanted(exchange) ? REPLY_BY_EVENTS : REPLY_WHEN_OVER;
}

static bool start(struct exchange *exchange, struct wire_execution_request *request, const char *id,
                  enum reply reply, struct execution **ret_execution)
{
    struct error err = {0};
    const char *identifier = exchange->identifier ? exchange->identifier : request->identifier;
    struct execution_wish wish = {
        .id = id,
        .request = request,
        .stream_bytes_max = exchange->front->api.stream_bytes_max,
    };
    struct session *session = exchange_obtain_session(exchange, identifier, &wish.session_is_new);
    if (!session)
        return false;
    if (reply == REPLY_WHEN_OVER) {
        exchange_pin(exchange);
        wish.watcher =
            (struct execution_watcher){.on_over = on_over, .on_lost = on_lost, .self = exchange};
    }
    if (execution_start(session, &wish, ret_execution, &err) == 0)
        return true;
    if (reply == REPLY_WHEN_OVER)
        exchange_unpin(exchange);
    if (err.code == ERROR_CONFLICT)
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "operation-id", "%s", err.message);
    else
        exchange_fail(exchange, SERVICE_TOO_MANY_REQUESTS, NULL, "%s", err.message);
    return false;
}

/* Where to ask about it. */
static void write_location(const struct execution *execution, const struct exchange *exchange,
                           struct buf *out)
{
    const char *version = http_target_parameter(&exchange->target, "api-version");
    exchange_write_url(exchange, out);
    buf_append_text(out, "/");
    text_percent_encode(out, execution->id, strlen(execution->id), NULL);
    buf_append_text(out, "?api-version=");
    text_percent_encode(out, version, strlen(version), NULL);
    buf_append_text(out, "&identifier=");
    text_percent_encode(out, execution->identifier, strlen(execution->identifier), NULL);
}

static void accept_asynchronous(const struct execution *execution, struct exchange *exchange)
{
    AUTO_BUF struct buf location = {0};
    write_location(execution, exchange, &location);
    respond_resource(execution, exchange, 202, location.data);
}

/* An extension: a client that hangs up takes its execution with it. */
static bool is_canceled_by_hang_up(const struct exchange *exchange)
{
    const char *wish = http_request_header(exchange->request, "x-sandpool-cancel-on-disconnect");
    return wish && text_equal_ignoring_case(wish, "true");
}

static void watch_client(struct execution *execution, struct exchange *exchange)
{
    if (!is_canceled_by_hang_up(exchange))
        return;
    exchange->sink = (struct body_sink){.on_gone = on_client_gone, .self = execution};
    http_request_watch_hang_up(exchange->request);
}

void execution_create(struct exchange *exchange)
{
    struct wire_execution_request request = {0};
    struct execution *execution = NULL;
    const char *id = NULL;
    enum reply reply = REPLY_WHEN_OVER;
    bool started = false;
    if (read_body(exchange, &request) && read_id(exchange, &id)) {
        reply = reply_to(exchange, &request);
        started = start(exchange, &request, id, reply, &execution);
    }
    wire_execution_request_clear(&request);
    if (!started)
        return;
    if (reply == REPLY_AT_ONCE)
        accept_asynchronous(execution, exchange);
    else if (reply == REPLY_BY_EVENTS)
        execution_stream_open(exchange, execution, is_canceled_by_hang_up(exchange));
    else
        watch_client(execution, exchange);
}

/* ---- requests about an execution ---- */

/* NULL after having answered that there is none. A session is not made for this. */
static struct execution *find_execution(struct exchange *exchange)
{
    const struct route_match *match = &exchange->match;
    if (!exchange_check_identifier(exchange, exchange->identifier))
        return NULL;
    struct session *session = pool_find_session(exchange->pool, exchange->identifier);
    struct execution *execution = NULL;
    if (session && match->name_count == 1) {
        exchange->session_number = session_link_of(session)->number;
        execution = execution_find(session, exchange->target.segments[match->name_first]);
    }
    if (!execution)
        exchange_fail(exchange, SERVICE_EXECUTION_NOT_FOUND, NULL,
                      "the session has no such execution, or has it no longer");
    return execution;
}

void execution_show(struct exchange *exchange)
{
    struct execution *execution = find_execution(exchange);
    if (execution && execution_stream_is_wanted(exchange))
        execution_stream_follow(exchange, execution);
    else if (execution)
        respond_resource(execution, exchange, 200, NULL);
}

void execution_cancel(struct exchange *exchange)
{
    struct execution *execution = find_execution(exchange);
    if (!execution)
        return;
    execution_stop(execution);
    respond_resource(execution, exchange, execution->logged.is_over ? 200 : 202, NULL);
}
