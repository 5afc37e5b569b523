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

/* One execution from the parsed request to its answer. */
struct execution {
    struct exchange *exchange; /* pinned */
    struct wire_execution_request request;
    struct work work;
    struct run run;
    char *identifier;
    char id[OPERATION_ID_MAX + 1];
    char session_guid[GUID_TEXT_MAX];
    bool session_is_new;
    int64_t obtained_us;
    int64_t turn_us;
};

static void execution_destroy(struct execution *execution)
{
    wire_execution_request_clear(&execution->request);
    run_clear(&execution->run);
    free(execution->identifier);
    exchange_unpin(execution->exchange);
    free(execution);
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

static void on_finished(void *self, struct run *run)
{
    struct execution *execution = self;
    struct exchange *exchange = execution->exchange;
    struct error err = {0};
    bool second = exchange->generation == WIRE_GENERATION_2;
    struct answer_options options = {
        .value_as_text = second && exchange->version == API_2024_10_02,
        .none_as_null = second && exchange->version >= API_2025_10_02,
        .stream_characters_max = execution->request.output_streams_max_length,
    };
    struct wire_options wire_options = {.with_ids = true};
    struct wire_execution answer = {
        .id = second ? execution->id : NULL,
        .identifier = second ? execution->identifier : NULL,
        .execution_type = second ? execution->request.execution_type : NULL,
    };
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    answer_fill(run, &options, &answer);
    int written = wire_write_execution(exchange->generation, &wire_options, &answer, &body, &err);
    /* These three are the execution's own. */
    answer.id = answer.identifier = answer.execution_type = NULL;
    wire_execution_clear(&answer);
    if (written < 0)
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
    else
        respond(execution, second && exchange->version == API_2024_10_02 ? 202 : 200, &body);
    execution_destroy(execution);
}

/* ---- its turn in the session ---- */

static void on_turn(void *self, struct session *session)
{
    struct execution *execution = self;
    struct session_link *link = session_link_of(session);
    execution->turn_us = clock_monotonic_us();
    execution->exchange->session_number = link->number;
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

static void on_lost(void *self, const struct error *err)
{
    struct execution *execution = self;
    exchange_fail(execution->exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
    execution_destroy(execution);
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
    if (request->asynchronous) {
        exchange_fail(exchange, SERVICE_NOT_SUPPORTED, "executionType",
                      "asynchronous executions are not supported; use Synchronous");
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
    if (!session)
        return false;
    execution->obtained_us = clock_monotonic_us();
    execution->identifier = xstrdup(identifier);
    execution->work = (struct work){.on_turn = on_turn, .on_lost = on_lost, .self = execution};
    if (session_enqueue_execution(session, &execution->work, &err) < 0) {
        exchange_fail(exchange, SERVICE_TOO_MANY_REQUESTS, NULL, "%s", err.message);
        return false;
    }
    return true;
}

void execution_create(struct exchange *exchange)
{
    struct execution *execution = xcalloc(1, sizeof *execution);
    execution->exchange = exchange;
    exchange_pin(exchange);
    if (!read_body(execution) || !read_id(execution) || !enqueue(execution))
        execution_destroy(execution);
}
