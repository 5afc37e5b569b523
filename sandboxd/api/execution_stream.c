#include "sandboxd/api/execution_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/http/accept.h"
#include "base/http/sse.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/execution_resource.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/output_feed.h"

struct execution_stream {
    struct exchange *exchange;   /* pinned */
    struct execution *execution; /* NULL: it is over, or lost */
    struct execution_follower follower;
    struct output_feed feed;
    struct buf events; /* on their way; more are made when these have left */
    size_t sent;
    struct timer heartbeat;
    bool begun;
    bool is_over; /* `events` holds the last one */
    bool is_heartbeat_due;
    bool cancels;
};

static struct loop *loop_of(const struct execution_stream *stream)
{
    return stream->exchange->front->loop;
}

/* ---- what is sent ---- */

static void make_events(struct execution_stream *stream)
{
    buf_clear(&stream->events);
    stream->sent = 0;
    if (stream->execution)
        output_feed_next(&stream->feed, &stream->execution->run, false, &stream->events);
    if (stream->events.length == 0 && stream->is_heartbeat_due)
        sse_write_comment(&stream->events, "still there");
    stream->is_heartbeat_due = false;
}

static ssize_t read_events(void *self, char *data, size_t room)
{
    struct execution_stream *stream = self;
    if (stream->sent == stream->events.length && !stream->is_over)
        make_events(stream);
    size_t left = stream->events.length - stream->sent;
    size_t length = left < room ? left : room;
    if (length == 0)
        return stream->is_over ? HTTP_SOURCE_END : 0;
    memcpy(data, stream->events.data + stream->sent, length);
    stream->sent += length;
    stream->exchange->bytes_sent += length;
    return (ssize_t)length;
}

static void begin(struct execution_stream *stream)
{
    struct http_source source = {.read = read_events, .self = stream};
    struct http_response response = {.status = 200};
    if (stream->begun)
        return;
    stream->begun = true;
    http_response_add(&response, "Content-Type", "text/event-stream");
    http_response_add(&response, "Cache-Control", "no-store");
    http_response_add(&response, "operation-id", stream->execution->id);
    exchange_stream(stream->exchange, &response, &source);
}

static void wake(struct execution_stream *stream)
{
    begin(stream);
    http_request_wake(stream->exchange->request);
}

static void on_heartbeat(void *self)
{
    struct execution_stream *stream = self;
    loop_start_timer(loop_of(stream), &stream->heartbeat,
                     loop_now_ms(loop_of(stream)) + EXECUTION_STREAM_HEARTBEAT_MS, on_heartbeat,
                     stream);
    stream->is_heartbeat_due = true;
    wake(stream);
}

/* ---- the execution ---- */

static void write_error(struct execution_stream *stream, enum service_code code,
                        const struct error *why)
{
    AUTO_BUF struct buf body = {0};
    problem_write_body(code, NULL, why->message, stream->exchange->trace_id, &body);
    sse_write_event(&stream->events, "error", body.data, body.length);
}

static void on_progress(void *self, struct execution *execution)
{
    (void)execution;
    wake(self);
}

/* All that is left is made at once, because the execution may be gone any time after. */
static void on_over(void *self, struct execution *execution)
{
    struct execution_stream *stream = self;
    struct error err = {0};
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX}, rest = {0};
    while (output_feed_next(&stream->feed, &execution->run, true, &rest))
        ;
    bool written = execution_resource_write(execution, stream->exchange, &body, &err) == 0;
    if (written)
        sse_write_event(&rest, "result", body.data, body.length);
    if (!exchange_reserve(stream->exchange, stream->events.length + rest.length)) {
        error_set(&err, ERROR_LIMIT, "%s", exchange_no_room);
        write_error(stream, SERVICE_UNAVAILABLE, &err);
    } else {
        buf_append(&stream->events, rest.data, rest.length);
        if (!written)
            write_error(stream, SERVICE_INTERNAL_ERROR, &err);
    }
    begin(stream);
    stream->execution = NULL;
    stream->is_over = true;
    wake(stream);
}

static void on_lost(void *self, struct execution *execution, const struct error *err)
{
    struct execution_stream *stream = self;
    (void)execution;
    stream->execution = NULL;
    if (!stream->begun) { /* which ends the stream */
        exchange_fail(stream->exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
        return;
    }
    write_error(stream, SERVICE_UNAVAILABLE, err);
    stream->is_over = true;
    wake(stream);
}

/* ---- the client ---- */

static void stream_destroy(struct execution_stream *stream)
{
    loop_stop_timer(loop_of(stream), &stream->heartbeat);
    buf_free(&stream->events);
    exchange_unpin(stream->exchange);
    free(stream);
}

/* It has got an answer of another kind, has closed its side of the connection, or is gone. */
static void on_client_gone(void *self)
{
    struct execution_stream *stream = self;
    struct exchange *exchange = stream->exchange;
    struct execution *execution = stream->execution;
    bool stays = exchange->request && (stream->begun || !exchange->responded);
    if (stays) {
        exchange->sink = (struct body_sink){.on_gone = on_client_gone, .self = stream};
    } else if (stream->follower.link) {
        execution_unfollow(&stream->follower);
    } else if (execution) {
        execution_leave(execution);
    }
    if (execution && stream->cancels)
        execution_stop(execution);
    if (!stays)
        stream_destroy(stream);
}

static struct execution_stream *stream_create(struct exchange *exchange,
                                              struct execution *execution)
{
    struct execution_stream *stream = xcalloc(1, sizeof *stream);
    stream->exchange = exchange;
    stream->execution = execution;
    output_feed_open(&stream->feed, execution->request.output_streams_max_length);
    exchange_pin(exchange);
    exchange->sink = (struct body_sink){.on_gone = on_client_gone, .self = stream};
    loop_start_timer(loop_of(stream), &stream->heartbeat,
                     loop_now_ms(loop_of(stream)) + EXECUTION_STREAM_HEARTBEAT_MS, on_heartbeat,
                     stream);
    if (execution->turn_us)
        begin(stream);
    return stream;
}

bool execution_stream_is_wanted(const struct exchange *exchange)
{
    const char *accept = http_request_header(exchange->request, "Accept");
    return exchange->generation == WIRE_GENERATION_2 &&
           accept_find(accept, "text/event-stream") == ACCEPT_BY_NAME &&
           accept_find(accept, "application/json") == ACCEPT_NOT;
}

void execution_stream_open(struct exchange *exchange, struct execution *execution, bool cancels)
{
    struct execution_stream *stream = stream_create(exchange, execution);
    struct execution_watcher watcher = {on_progress, on_over, on_lost, stream};
    execution_watch(execution, &watcher);
    stream->cancels = cancels;
    if (cancels)
        http_request_watch_hang_up(exchange->request);
}

void execution_stream_follow(struct exchange *exchange, struct execution *execution)
{
    struct execution_stream *stream = stream_create(exchange, execution);
    stream->follower.watcher = (struct execution_watcher){on_progress, on_over, on_lost, stream};
    if (execution->logged.is_over)
        on_over(stream, execution);
    else
        execution_follow(execution, &stream->follower);
}
