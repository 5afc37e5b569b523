#include "sandboxd/api/mcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/environments.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/execution.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/mcp_protocol.h"
#include "sandboxd/api/mcp_tools.h"
#include "sandboxd/link/session_link.h"

struct post;

/* One message of a body. */
struct message {
    struct post *post;
    const struct rpc_message *rpc;
    char id[RPC_ID_BYTES_MAX]; /* a copy, since the body is let go */
    char environment[IDENTIFIER_LENGTH_MAX + 1];
    struct buf answer; /* empty: it wants none, or has none yet */
};

/* One POST, until everything in it has its answer. */
struct post {
    struct exchange *exchange; /* pinned */
    struct rpc_text text;
    struct message messages[RPC_BATCH_MAX];
    size_t pending; /* runs under way, and the reading of the body */
};

/* ---- answers ---- */

static void respond(struct exchange *exchange, unsigned status, struct buf *body)
{
    if (body->length > 0)
        exchange_respond_json(exchange, status, body);
    else
        exchange_respond_empty(exchange, 202);
}

/* For a body of which nobody knows what it holds. */
static void refuse_body(struct exchange *exchange, int code, const char *text)
{
    AUTO_BUF struct buf body = {0};
    rpc_write_error(NULL, code, text, &body);
    respond(exchange, 400, &body);
}

/* A list of the answers that are wanted; nothing when none is. */
static void join_answers(struct post *post, struct buf *body)
{
    for (size_t i = 0; i < post->text.count; i++) {
        struct buf *answer = &post->messages[i].answer;
        if (answer->length == 0)
            continue;
        buf_append_text(body, body->length == 0 ? "[" : ",");
        buf_append(body, answer->data, answer->length);
        buf_free(answer);
    }
    if (body->length > 0)
        buf_append_text(body, "]");
}

/* One thing less to wait for. May free it. */
static void post_release(struct post *post)
{
    if (--post->pending > 0)
        return;
    AUTO_BUF struct buf body = {0};
    bool broken = !post->text.is_batch && post->text.messages[0].kind == RPC_BROKEN;
    if (post->text.is_batch)
        join_answers(post, &body);
    respond(post->exchange, broken ? 400 : 200,
            post->text.is_batch ? &body : &post->messages[0].answer);
    for (size_t i = 0; i < post->text.count; i++)
        buf_free(&post->messages[i].answer);
    exchange_unpin(post->exchange);
    free(post);
}

static void fail(struct message *message, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct message *message, int code, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rpc_write_error(message->rpc, code, text, &message->answer);
}

static void fail_tool(struct message *message, const char *text)
{
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    mcp_write_failure(text, &writer);
    rpc_finish_answer(&writer, NULL);
}

static void finish(struct message *message, struct writer *writer)
{
    if (rpc_finish_answer(writer, NULL) < 0)
        fail_tool(message, "The output does not fit into one answer. Write it to a file and read "
                           "that in parts.");
}

/* ---- running ---- */

/* The other messages of a batch may take their time. */
static size_t answer_bytes(const struct post *post)
{
    size_t bytes = 0;
    for (size_t i = 0; i < post->text.count; i++)
        bytes += post->messages[i].answer.length;
    return bytes;
}

static void on_over(void *self, struct execution *execution)
{
    struct message *message = self;
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    mcp_write_run(message->environment, &execution->run, &writer);
    finish(message, &writer);
    if (!exchange_reserve(message->post->exchange, answer_bytes(message->post))) {
        buf_free(&message->answer);
        fail_tool(message, exchange_no_room);
    }
    post_release(message->post);
}

static void on_lost(void *self, struct execution *execution, const struct error *err)
{
    struct message *message = self;
    (void)execution;
    fail_tool(message, err->message);
    post_release(message->post);
}

/* An environment that had a session and has none begins no second life unasked. */
static struct session *obtain_session(struct message *message, bool *ret_new, struct error *err)
{
    struct exchange *exchange = message->post->exchange;
    struct environments *launched = exchange->front->environments;
    const char *identifier = message->environment;
    struct session *session = pool_find_session(exchange->pool, identifier);
    if (!session && environments_had_session(launched, exchange->pool, identifier)) {
        error_set(err, ERROR_MISSING,
                  "Environment \"%s\" was not found: it has expired or was removed, with its files "
                  "and variables. Call launchShell or launchPythonEnvironment for a new one.",
                  identifier);
        return NULL;
    }
    if (exchange->front->stopping) {
        error_set(err, ERROR_CONFLICT, "The daemon is stopping.");
        return NULL;
    }
    if (pool_obtain_session(exchange->pool, identifier, &session, ret_new, err) < 0)
        return NULL;
    environments_note_session(launched, exchange->pool, identifier);
    exchange->session_number = session_link_of(session)->number;
    return session;
}

static void run(struct message *message, struct mcp_call *call)
{
    struct error err = {0};
    struct wire_execution_request request = {
        .code_length = call->code.length,
        .execution_type = xstrdup("Synchronous"),
        .output_streams_max_length = -1,
    };
    request.code = buf_take(&call->code);
    struct execution_wish wish = {
        .request = &request,
        .is_command = call->action == MCP_RUN_COMMAND,
        .stream_bytes_max = message->post->exchange->front->api.stream_bytes_max,
        .watcher = {.on_over = on_over, .on_lost = on_lost, .self = message},
    };
    struct execution *execution = NULL;
    struct session *session = obtain_session(message, &wish.session_is_new, &err);
    message->post->pending++;
    if (!session || execution_start(session, &wish, &execution, &err) < 0) {
        message->post->pending--;
        fail_tool(message, err.message);
    }
    wire_execution_request_clear(&request);
}

static void launch(struct message *message)
{
    struct exchange *exchange = message->post->exchange;
    char identifier[GUID_TEXT_MAX];
    environments_launch(exchange->front->environments, exchange->pool, identifier);
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    mcp_write_launched(identifier, &writer);
    finish(message, &writer);
}

/* ---- methods ---- */

static void call_tool(struct message *message)
{
    struct mcp_call call;
    struct error err = {0};
    if (mcp_read_call(message->rpc->params, &call, &err) < 0) {
        fail(message, RPC_INVALID_PARAMS, "%s", err.message);
        return;
    }
    memcpy(message->environment, call.environment, sizeof message->environment);
    if (call.action == MCP_LAUNCH)
        launch(message);
    else
        run(message, &call);
    mcp_call_clear(&call);
}

/* All are on one page: a cursor is none of ours. */
static void list_tools(struct message *message)
{
    struct error err = {0};
    if (mcp_check_list(message->rpc->params, &err) < 0) {
        fail(message, RPC_INVALID_PARAMS, "%s", err.message);
        return;
    }
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    mcp_write_tools(message->post->exchange->pool->settings.egress.enabled, &writer);
    finish(message, &writer);
}

static void initialize(struct message *message)
{
    struct error err = {0};
    if (message->post->text.is_batch) {
        fail(message, RPC_INVALID_REQUEST, "initialize must not be part of a batch");
        return;
    }
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    if (mcp_write_initialize(message->rpc->params, &writer, &err) == 0) {
        finish(message, &writer);
        return;
    }
    buf_clear(&message->answer);
    fail(message, RPC_INVALID_PARAMS, "%s", err.message);
}

static void ping(struct message *message)
{
    struct writer writer = rpc_begin_answer(message->rpc, &message->answer);
    writer_raw(&writer, "result", "{}", 2);
    finish(message, &writer);
}

static const struct {
    const char *name;
    void (*handle)(struct message *message);
} methods[] = {
    {"initialize", initialize},
    {"ping", ping},
    {"tools/list", list_tools},
    {"tools/call", call_tool},
};

static void handle_request(struct message *message)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, message->rpc->method) == 0) {
            methods[i].handle(message);
            return;
        }
    }
    fail(message, RPC_METHOD_NOT_FOUND,
         "the method \"%s\" is not served: initialize, ping, tools/list and tools/call are",
         message->rpc->method);
}

/* ---- a body ---- */

/* Only `initialize` may name a version that we do not have: it is about to be agreed on. */
static bool check_version(struct exchange *exchange, const struct rpc_text *text)
{
    const char *version = http_request_header(exchange->request, "MCP-Protocol-Version");
    bool is_first = !text->is_batch && strcmp(text->messages[0].method, "initialize") == 0;
    char why[ERROR_MESSAGE_MAX];
    if (version && !is_first && !mcp_version_is_known(version)) {
        snprintf(why, sizeof why,
                 "MCP-Protocol-Version: \"%.32s\" is not served; " MCP_VERSION_NEWEST
                 " and older are",
                 version);
        refuse_body(exchange, RPC_INVALID_REQUEST, why);
        return false;
    }
    if (text->is_batch && !mcp_version_has_batches(version)) {
        refuse_body(exchange, RPC_INVALID_REQUEST,
                    "this version of the protocol has no batches: send one message at a time");
        return false;
    }
    return true;
}

static void take_message(struct post *post, size_t index)
{
    struct message *message = &post->messages[index];
    struct rpc_message *rpc = &post->text.messages[index];
    message->post = post;
    message->rpc = rpc;
    message->answer.limit = ANSWER_BYTES_MAX / post->text.count;
    if (rpc->id.start) {
        memcpy(message->id, rpc->id.start, rpc->id.length);
        rpc->id.start = message->id;
    }
    if (rpc->kind == RPC_REQUEST)
        handle_request(message);
    else if (rpc->kind == RPC_BROKEN)
        fail(message, RPC_INVALID_REQUEST, "%s", rpc->problem);
}

void mcp_handle(struct exchange *exchange)
{
    struct post *post = xcalloc(1, sizeof *post);
    struct error err = {0};
    int code = 0;
    const char *body = exchange->body.data ? exchange->body.data : "";
    if (rpc_read(body, exchange->body.length, &post->text, &code, &err) < 0) {
        refuse_body(exchange, code, err.message);
        free(post);
        return;
    }
    if (!check_version(exchange, &post->text)) {
        free(post);
        return;
    }
    post->exchange = exchange;
    exchange_pin(exchange);
    post->pending = 1;
    for (size_t i = 0; i < post->text.count; i++)
        take_message(post, i);
    buf_free(&exchange->body);
    post_release(post);
}

void mcp_refuse_method(struct exchange *exchange)
{
    struct http_response response = {0};
    problem_write(
        SERVICE_METHOD_NOT_ALLOWED, NULL,
        "POST JSON-RPC messages here: the endpoint offers no stream and keeps no protocol "
        "session",
        exchange->trace_id, &response);
    http_response_add(&response, "Allow", "POST");
    exchange_respond(exchange, &response);
}
