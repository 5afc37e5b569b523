#include "sandboxd/api/executions.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/wire.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/session_link.h"

enum {
    OPERATION_ID_MAX = 128,
    TIME_TEXT_MAX = 32,
    /* A whole answer: two streams and a value at their limits, escaped (our limit). */
    ANSWER_BYTES_MAX = 256 * 1024 * 1024,
};

/* One execution, from the parsed request until the session's log lets it go. */
struct execution {
    struct exchange *exchange; /* pinned; NULL: answered, or nobody waits */
    struct logged_execution logged;
    struct session *session; /* held until it is over */
    struct wire_execution_request request;
    struct work work;
    struct run run;
    char *identifier;
    char id[OPERATION_ID_MAX + 1];
    char session_guid[GUID_TEXT_MAX];
    bool session_is_new;
    bool id_is_given;
    int64_t obtained_us;
    int64_t turn_us;
};

static void leave_exchange(struct execution *execution)
{
    if (execution->exchange)
        exchange_unpin(execution->exchange);
    execution->exchange = NULL;
}

static void execution_destroy(struct execution *execution)
{
    execution_log_remove(&execution->logged);
    wire_execution_request_clear(&execution->request);
    run_clear(&execution->run);
    free(execution->identifier);
    leave_exchange(execution);
    free(execution);
}

static void on_dropped(void *self)
{
    execution_destroy(self);
}

/* ---- the answer ---- */

/* Milliseconds with four decimals, as the service prints them. */
static void add_time(struct http_response *response, const char *name, int64_t us,
                     char text[TIME_TEXT_MAX])
{
    snprintf(text, TIME_TEXT_MAX, "%.4f", (double)us / 1000);
    http_response_add(response, name, text);
}

static void respond(struct execution *execution, unsigned status, struct buf *body)
{
    char times[6][TIME_TEXT_MAX], container_ms[TIME_TEXT_MAX];
    const struct run *run = &execution->run;
    int64_t head_us = execution->exchange->started_us;
    int64_t now_us = clock_monotonic_us();
    struct http_response response = {.status = status, .body_length = body->length};
    response.body = buf_take(body);

    snprintf(container_ms, sizeof container_ms, "%" PRId64, answer_execution_time_ms(run));
    http_response_add(&response, "Content-Type", "application/json; charset=utf-8");
    add_time(&response, "x-ms-overall-execution-time", now_us - execution->turn_us, times[0]);
    add_time(&response, "x-ms-preparation-time", execution->obtained_us - head_us, times[1]);
    add_time(&response, "x-ms-allocation-time", execution->turn_us - execution->obtained_us,
             times[2]);
    http_response_add(&response, "x-ms-allocation-retries", "0");
    http_response_add(&response, "x-ms-new-allocation",
                      execution->session_is_new ? "True" : "False");
    add_time(&response, "x-ms-execution-request-time", run->answered_us - run->started_us,
             times[3]);
    add_time(&response, "x-ms-execution-read-response-time", now_us - run->answered_us, times[4]);
    http_response_add(&response, "x-ms-container-execution-duration", container_ms);
    add_time(&response, "x-ms-total-execution-service-time", now_us - head_us, times[5]);
    http_response_add(&response, "x-ms-session-guid", execution->session_guid);
    if (execution->exchange->generation == WIRE_GENERATION_2)
        http_response_add(&response, "operation-id", execution->id);
    exchange_respond(execution->exchange, &response);
}

/* As the asking request's version has it. */
static int write_resource(const struct execution *execution, const struct exchange *exchange,
                          struct buf *body, struct error *err)
{
    bool second = exchange->generation == WIRE_GENERATION_2;
    struct answer_options options = {
        .value_as_text = second && exchange->version == API_2024_10_02,
        .none_as_null = second && exchange->version >= API_2025_10_02,
        .stream_characters_max = execution->request.output_streams_max_length,
    };
    struct wire_options wire_options = {.with_ids = true};
    struct wire_execution answer = {
        .id = second ? (char *)execution->id : NULL,
        .identifier = second ? execution->identifier : NULL,
        .execution_type = second ? execution->request.execution_type : NULL,
        .status = execution->turn_us ? WIRE_STATUS_RUNNING : WIRE_STATUS_NOT_STARTED,
    };
    if (execution->logged.is_over)
        answer_fill(&execution->run, &options, &answer);
    int written = wire_write_execution(exchange->generation, &wire_options, &answer, body, err);
    /* These three are the execution's own. */
    answer.id = answer.identifier = answer.execution_type = NULL;
    wire_execution_clear(&answer);
    return written;
}

static void respond_finished(struct execution *execution)
{
    struct exchange *exchange = execution->exchange;
    bool accepted =
        exchange->generation == WIRE_GENERATION_2 && exchange->version == API_2024_10_02;
    struct error err = {0};
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    if (write_resource(execution, exchange, &body, &err) < 0)
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
    else
        respond(execution, accepted ? 202 : 200, &body);
}

/* The answer to a request that only asks about the execution, or does not wait for it. */
static void respond_resource(struct execution *execution, struct exchange *exchange,
                             unsigned status, const char *location)
{
    struct error err = {0};
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    if (write_resource(execution, exchange, &body, &err) < 0) {
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

static size_t bytes_of(const struct execution *execution)
{
    const struct run *run = &execution->run;
    size_t tails =
        (run->output.tail ? run->output.limit : 0) + (run->errors.tail ? run->errors.limit : 0);
    return sizeof *execution + run->output.head.capacity + run->errors.head.capacity + tails +
           run->result.capacity;
}

/* May free it. */
static void finish(struct execution *execution)
{
    execution->logged.is_over = true;
    free(execution->request.code);
    execution->request.code = NULL;
    execution->session = NULL;
    if (execution->exchange)
        respond_finished(execution);
    leave_exchange(execution);
    execution_log_settle(&execution->logged, bytes_of(execution));
}

static void on_finished(void *self, struct run *run)
{
    (void)run;
    finish(self);
}

/* ---- its turn in the session ---- */

static void on_turn(void *self, struct session *session)
{
    struct execution *execution = self;
    struct session_link *link = session_link_of(session);
    execution->turn_us = clock_monotonic_us();
    memcpy(execution->session_guid, link->guid, sizeof execution->session_guid);

    int64_t limit_ms = session->pool->settings.execution_timeout_ms;
    int64_t wanted_s = execution->request.timeout_s;
    bool within = wanted_s > 0 && wanted_s < limit_ms / 1000;
    execution->run = (struct run){
        .code = execution->request.code,
        .code_length = execution->request.code_length,
        .timeout_ms = within ? wanted_s * 1000 : limit_ms,
        .on_finished = on_finished,
        .self = execution,
    };
    interpreter_start_run(&link->interpreter, &execution->run);
}

/* Nobody waits for an asynchronous one: its fate is for those who ask later. */
static void on_lost(void *self, const struct error *err)
{
    struct execution *execution = self;
    if (!execution->exchange) {
        execution->run.outcome = RUN_ABORTED;
        snprintf(execution->run.ending, sizeof execution->run.ending, "%.200s", err->message);
        finish(execution);
        return;
    }
    exchange_fail(execution->exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
    execution_destroy(execution);
}

static void cancel(struct execution *execution)
{
    struct session *session = execution->session;
    if (!session)
        return;
    if (execution->turn_us) {
        interpreter_cancel(&session_link_of(session)->interpreter, &execution->run);
        return;
    }
    session_withdraw_execution(session, &execution->work);
    execution->run.outcome = RUN_CANCELED;
    finish(execution);
}

/* The client has hung up, or was answered. */
static void on_client_gone(void *self)
{
    struct execution *execution = self;
    if (!execution->exchange->responded)
        cancel(execution);
}

/* ---- the request ---- */

static bool read_body(struct execution *execution)
{
    struct exchange *exchange = execution->exchange;
    struct wire_execution_request *request = &execution->request;
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
    if (request->asynchronous && exchange->generation == WIRE_GENERATION_1) {
        exchange_fail(exchange, SERVICE_NOT_SUPPORTED, "executionType",
                      "code/execute runs synchronous executions only; use POST executions");
        return false;
    }
    return true;
}

/* The client's own name for the execution, or a new one. */
static bool read_id(struct execution *execution)
{
    const char *id = http_request_header(execution->exchange->request, "operation-id");
    if (!id || !*id) {
        random_guid(execution->id);
        return true;
    }
    size_t length = 0;
    while (isgraph((unsigned char)id[length]))
        length++;
    if (id[length] || length > OPERATION_ID_MAX) {
        exchange_fail(execution->exchange, SERVICE_VALIDATION_FAILED, "operation-id",
                      "operation-id must be 1 to %d printable ASCII characters without spaces",
                      OPERATION_ID_MAX);
        return false;
    }
    memcpy(execution->id, id, length + 1);
    execution->id_is_given = true;
    return true;
}

static bool enter_log(struct execution *execution, struct session *session)
{
    struct execution_log *log = &session_link_of(session)->executions;
    if (execution->id_is_given && execution_log_find(log, execution->id)) {
        exchange_fail(execution->exchange, SERVICE_VALIDATION_FAILED, "operation-id",
                      "the session has an execution of this operation-id already");
        return false;
    }
    execution->logged =
        (struct logged_execution){.id = execution->id, .on_dropped = on_dropped, .self = execution};
    execution_log_add(log, &execution->logged);
    return true;
}

static bool enqueue(struct execution *execution)
{
    struct exchange *exchange = execution->exchange;
    struct error err = {0};
    const char *identifier =
        exchange->identifier ? exchange->identifier : execution->request.identifier;
    struct session *session =
        exchange_obtain_session(exchange, identifier, &execution->session_is_new);
    if (!session || !enter_log(execution, session))
        return false;
    execution->obtained_us = clock_monotonic_us();
    execution->identifier = xstrdup(identifier);
    execution->session = session;
    execution->work = (struct work){.on_turn = on_turn, .on_lost = on_lost, .self = execution};
    if (session_enqueue_execution(session, &execution->work, &err) < 0) {
        exchange_fail(exchange, SERVICE_TOO_MANY_REQUESTS, NULL, "%s", err.message);
        return false;
    }
    return true;
}

/* Where to ask about it: absolute, by the way that the request itself has come. */
static void write_location(const struct execution *execution, struct buf *out)
{
    const struct exchange *exchange = execution->exchange;
    const char *path = http_request_target(exchange->request);
    const char *version = http_target_parameter(&exchange->target, "api-version");
    size_t length = strcspn(path, "?#");
    while (length > 0 && path[length - 1] == '/')
        length--;
    buf_printf(out, "%s://%s%.*s/", http_request_is_tls(exchange->request) ? "https" : "http",
               http_request_header(exchange->request, "Host"), (int)length, path);
    text_percent_encode(out, execution->id, strlen(execution->id), NULL);
    buf_append_text(out, "?api-version=");
    text_percent_encode(out, version, strlen(version), NULL);
    buf_append_text(out, "&identifier=");
    text_percent_encode(out, execution->identifier, strlen(execution->identifier), NULL);
}

static void accept_asynchronous(struct execution *execution)
{
    AUTO_BUF struct buf location = {0};
    write_location(execution, &location);
    respond_resource(execution, execution->exchange, 202, location.data);
    leave_exchange(execution);
}

/* An extension: a client that hangs up takes its execution with it. */
static void watch_client(struct execution *execution)
{
    struct exchange *exchange = execution->exchange;
    const char *wish = http_request_header(exchange->request, "x-sandpool-cancel-on-disconnect");
    if (!wish || !text_equal_ignoring_case(wish, "true"))
        return;
    exchange->sink = (struct body_sink){.on_gone = on_client_gone, .self = execution};
    http_request_watch_hang_up(exchange->request);
}

void execution_create(struct exchange *exchange)
{
    struct execution *execution = xcalloc(1, sizeof *execution);
    execution->exchange = exchange;
    exchange_pin(exchange);
    if (!read_body(execution) || !read_id(execution) || !enqueue(execution))
        execution_destroy(execution);
    else if (execution->request.asynchronous)
        accept_asynchronous(execution);
    else
        watch_client(execution);
}

/* ---- requests about an execution ---- */

/* NULL after having answered that there is none. A session is not made for this. */
static struct execution *find_execution(struct exchange *exchange)
{
    const struct route_match *match = &exchange->match;
    if (!exchange_check_identifier(exchange, exchange->identifier))
        return NULL;
    struct session *session = pool_find_session(exchange->pool, exchange->identifier);
    struct logged_execution *found = NULL;
    if (session && match->name_count == 1) {
        exchange->session_number = session_link_of(session)->number;
        /* Asking counts as use. */
        session_hold(session);
        session_release(session);
        found = execution_log_find(&session_link_of(session)->executions,
                                   exchange->target.segments[match->name_first]);
    }
    if (found)
        return found->self;
    exchange_fail(exchange, SERVICE_EXECUTION_NOT_FOUND, NULL,
                  "the session has no such execution, or has it no longer");
    return NULL;
}

void execution_show(struct exchange *exchange)
{
    struct execution *execution = find_execution(exchange);
    if (execution)
        respond_resource(execution, exchange, 200, NULL);
}

void execution_cancel(struct exchange *exchange)
{
    struct execution *execution = find_execution(exchange);
    if (!execution)
        return;
    cancel(execution);
    respond_resource(execution, exchange, execution->logged.is_over ? 200 : 202, NULL);
}
