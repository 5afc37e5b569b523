#include "agent/llm/model.h"

#include <stdlib.h>
#include <string.h>

#include "agent/llm/adapt.h"
#include "agent/llm/explain.h"
#include "agent/llm/model_url.h"
#include "agent/llm/react.h"
#include "agent/llm/reader.h"
#include "agent/llm/request_copy.h"
#include "agent/llm/retry.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    SILENCE_TIMEOUT_DEFAULT_MS = 300000, /* reasoning models think for minutes before a byte */
    REFUSAL_BYTES_MAX = 64 * 1024,       /* of an error's body; the rest is not kept */
    SECRET_BYTES_MAX = CREDENTIAL_TOKEN_BYTES_MAX,
    HEADER_BYTES_MAX = SECRET_BYTES_MAX + 64,
    ADAPTATIONS_MAX = 12, /* of one question: each part once, and the protocol */
};
/* Chunks carry a few bytes of answer in some hundred bytes of JSON. */
static const uint64_t ANSWER_BYTES_MAX = (uint64_t)512 * 1024 * 1024;

struct model {
    struct loop *loop;
    struct http_client *http;
    struct credential credential;
    bool use_credential;
    enum model_wire wire;
    enum model_protocol protocol;
    struct model_address address;
    char *name;
    char *key; /* NULL: none */
    struct react_template react;
    int64_t answer_tokens_max;
    int64_t retry_budget_ms;
    int64_t silence_timeout_ms;
    uint64_t random;
    unsigned without; /* request_part: what this model has refused */
    struct model_limits limits;
};

struct model_call {
    struct model *model;
    struct model_handler handler;
    struct request_copy copy;
    struct tool_shapes shapes;
    struct retry retry;
    unsigned adaptations;
    struct timer timer; /* until the next attempt, or the end that has to wait for the loop */
    struct credential_wait wait;
    bool wants_fresh_token; /* the service has refused the last one, once */
    struct error late_error;

    /* Of this attempt. */
    struct http_exchange *exchange; /* NULL: none */
    enum model_protocol protocol;
    struct buf body;
    struct buf refusal_body;
    struct assembly assembly;
    struct reader reader;
    struct react_parser react;
    bool reader_failed;
    bool stopped; /* by us: the rest of the answer is made up */
    bool has_told;
    int64_t retry_after_ms;
};

/* ---- settings ---- */

int model_create(struct loop *loop, struct http_client *http, const struct model_settings *settings,
                 struct credential credential, struct model **ret_model, struct error *err)
{
    struct model_address address = {0};
    struct react_template template = {0};
    const char *key = settings->api_key && *settings->api_key ? settings->api_key : NULL;
    if (key && !credential_token_is_valid(key, strlen(key)))
        return error_set(err, ERROR_INVALID,
                         "the model's key is not one: it must be at most %d printable characters "
                         "without spaces or line ends",
                         SECRET_BYTES_MAX);
    if (model_address_read(settings, &address, err) < 0)
        return -1;
    if (react_template_read(settings->react_template, &template, err) < 0) {
        model_address_clear(&address);
        return -1;
    }

    struct model *model = xcalloc(1, sizeof *model);
    *model = (struct model){.loop = loop,
                            .http = http,
                            .credential = credential,
                            .use_credential = !key && settings->use_credential,
                            .wire = settings->wire,
                            .protocol = settings->protocol,
                            .address = address,
                            .name = xstrdup(settings->model),
                            .key = key ? xstrdup(key) : NULL,
                            .react = template,
                            .answer_tokens_max = settings->answer_tokens_max,
                            .retry_budget_ms = settings->retry_budget_ms,
                            .silence_timeout_ms = settings->silence_timeout_ms,
                            .random = settings->seed,
                            .limits = {-1, -1}};
    if (model->retry_budget_ms == 0)
        model->retry_budget_ms = RETRY_BUDGET_DEFAULT_MS;
    if (model->silence_timeout_ms == 0)
        model->silence_timeout_ms = SILENCE_TIMEOUT_DEFAULT_MS;
    *ret_model = model;
    return 0;
}

void model_destroy(struct model *model)
{
    if (!model)
        return;
    if (model->key)
        explicit_bzero(model->key, strlen(model->key));
    free(model->key);
    free(model->name);
    react_template_clear(&model->react);
    model_address_clear(&model->address);
    free(model);
}

enum model_protocol model_protocol(const struct model *model)
{
    return model->protocol;
}

struct model_limits model_limits(const struct model *model)
{
    return model->limits;
}

/* ---- the end of a call ---- */

static void clear_attempt(struct model_call *call)
{
    reader_clear(&call->reader);
    assembly_clear(&call->assembly);
    react_parser_clear(&call->react);
    buf_free(&call->body);
    buf_free(&call->refusal_body);
    call->exchange = NULL;
}

static void call_free(struct model_call *call)
{
    loop_stop_timer(call->model->loop, &call->timer);
    credential_cancel(&call->wait);
    clear_attempt(call);
    tool_shapes_clear(&call->shapes);
    request_copy_clear(&call->copy);
    free(call);
}

static void end_call(struct model_call *call, struct llm_answer *answer,
                     const struct model_failure *failure)
{
    struct llm_answer none = {.usage = {-1, -1, -1, -1}};
    struct model_handler handler = call->handler;
    call_free(call);
    handler.on_done(handler.self, answer ? answer : &none, failure);
    llm_answer_clear(answer ? answer : &none);
}

static void fail_call(struct model_call *call, enum model_failure_kind kind,
                      const struct error *error)
{
    struct model_failure failure = {.kind = kind, .error = *error, .retry_after_ms = -1};
    end_call(call, NULL, &failure);
}

void model_call_cancel(struct model_call *call)
{
    struct error error = {0};
    if (call->exchange)
        http_exchange_cancel(call->exchange);
    call->exchange = NULL;
    error_set(&error, ERROR_CONFLICT, "cancelled");
    fail_call(call, MODEL_CANCELLED, &error);
}

/* ---- events ---- */

static void tell(const struct model_call *call, const struct llm_event *event)
{
    if (call->handler.on_event)
        call->handler.on_event(call->handler.self, event);
}

static void on_event(void *self, const struct llm_event *event)
{
    struct model_call *call = self;
    call->has_told = true;
    tell(call, event);
}

static void notice(const struct model_call *call, const char *text)
{
    tell(call, &(struct llm_event){.kind = LLM_EVENT_NOTICE, .text = text, .length = strlen(text)});
}

/* ---- one attempt ---- */

static int start_attempt(struct model_call *call, struct error *err);

static void on_late_error(void *self)
{
    struct model_call *call = self;
    struct error error = call->late_error;
    fail_call(call, error.code == ERROR_DENIED ? MODEL_DENIED : MODEL_REFUSED, &error);
}

/* Never from inside model_ask. */
static void fail_later(struct model_call *call, const struct error *error)
{
    struct loop *loop = call->model->loop;
    call->late_error = *error;
    loop_start_timer(loop, &call->timer, loop_now_ms(loop), on_late_error, call);
}

static void on_next_attempt(void *self)
{
    struct model_call *call = self;
    struct error error = {0};
    if (start_attempt(call, &error) < 0)
        fail_call(call, MODEL_REFUSED, &error);
}

static void attempt_again(struct model_call *call, int64_t wait_ms)
{
    if (call->has_told)
        tell(call, &(struct llm_event){.kind = LLM_EVENT_RESTART});
    clear_attempt(call);
    struct loop *loop = call->model->loop;
    loop_start_timer(loop, &call->timer, loop_now_ms(loop) + wait_ms, on_next_attempt, call);
}

/* Starts another attempt after a while; false when that is not worth it any more. */
static bool retry(struct model_call *call, const char *why)
{
    enum { NOTICE_BYTES_MAX = 160 };
    int64_t wait_ms = retry_wait_ms(&call->retry, call->retry_after_ms);
    if (wait_ms < 0)
        return false;
    char text[NOTICE_BYTES_MAX];
    snprintf(text, sizeof text, "%s; asking again in %lld.%lld s", why, (long long)(wait_ms / 1000),
             (long long)(wait_ms % 1000 / 100));
    attempt_again(call, wait_ms);
    notice(call, text);
    return true;
}

/* Leaves out what the model does not take, or changes the protocol; false when nothing helps. */
static bool adapt(struct model_call *call, unsigned status, const struct refusal *refusal)
{
    struct model *model = call->model;
    char names[ADAPT_NAMES_MAX];
    char text[ADAPT_NAMES_MAX + 160];
    if (status == 401 || status == 403 || status == 429 || ++call->adaptations > ADAPTATIONS_MAX)
        return false;
    unsigned parts = status < 500 ? adapt_parts(refusal, model->without, names) : 0;
    if (parts) {
        model->without |= parts;
        snprintf(text, sizeof text, "%.64s does not take %s: left out from now on", model->name,
                 names);
    } else if (call->protocol == MODEL_TOOLS && model->wire != MODEL_RESPONSES &&
               call->copy.request.tool_count > 0 && refusal_is_about_tools(refusal)) {
        model->protocol = MODEL_REACT;
        snprintf(text, sizeof text,
                 "the server cannot do tool calls with %.64s: using text (ReAct) from now on",
                 model->name);
    } else {
        return false;
    }
    attempt_again(call, 0);
    notice(call, text);
    return true;
}

static void end_refused(struct model_call *call, unsigned status, const struct refusal *refusal)
{
    const struct model *model = call->model;
    struct explain_context context = {.url = model->address.url,
                                      .model = model->name,
                                      .key = model->key,
                                      .is_azure = model->address.is_azure,
                                      .has_key = model->key,
                                      .has_token = model->use_credential};
    struct model_failure failure;
    explain_refusal(&context, status, refusal, &failure);
    failure.retry_after_ms = call->retry_after_ms;
    if (status == 401 && model->use_credential && !call->wants_fresh_token) {
        call->wants_fresh_token = true;
        attempt_again(call, 0);
        return;
    }
    if (failure.kind == MODEL_REFUSED || failure.kind == MODEL_BUSY ||
        failure.kind == MODEL_MISSING) {
        if (adapt(call, status, refusal))
            return;
    }
    char why[64];
    unsigned true_status = explain_true_status(status, refusal);
    snprintf(why, sizeof why, "the model's service is busy (%u)", true_status);
    if (failure.kind == MODEL_BUSY && retry_is_worth(true_status) && retry(call, why))
        return;
    end_call(call, NULL, &failure);
}

/* No answer, or not the whole of it. */
static void end_unreachable(struct model_call *call, const struct error *error)
{
    if (retry(call, "the connection to the model broke"))
        return;
    struct error told = *error;
    error_add_context(&told, "reach the model at %.160s", call->model->address.url);
    fail_call(call, MODEL_UNREACHABLE, &told);
}

static void end_answered(struct model_call *call, const struct error *failure)
{
    struct error error = {0};
    struct llm_answer answer = {0};
    struct reader *reader = &call->reader;
    if (call->stopped)
        reader->ended = true;
    bool is_whole = reader->ended || call->assembly.has_finish;
    if (!call->reader_failed && failure && !is_whole) {
        end_unreachable(call, failure);
        return;
    }
    if (call->reader_failed)
        error = *failure;
    int result = call->reader_failed ? -1 : reader_finish(reader, &answer, &error);
    if (result == 0)
        end_call(call, &answer, NULL);
    else if (reader->is_refused)
        end_refused(call, 200, &reader->refusal);
    else if (error.code == ERROR_SYSTEM)
        end_unreachable(call, &error);
    else
        fail_call(call, MODEL_UNREADABLE, &error);
}

/* ---- HTTP ---- */

static int64_t header_number(const struct http_exchange *exchange, const char *name)
{
    const char *text = http_exchange_header(exchange, name);
    char *end;
    double number = text ? strtod(text, &end) : -1;
    return text && end != text && number >= 0 && number < 1e15 ? (int64_t)number : -1;
}

static int on_head(void *self, struct http_exchange *exchange, struct error *err)
{
    (void)err;
    struct model_call *call = self;
    int64_t seconds = http_exchange_retry_after_s(exchange);
    call->retry_after_ms = header_number(exchange, "retry-after-ms");
    if (call->retry_after_ms < 0 && seconds >= 0)
        call->retry_after_ms = seconds * 1000;
    call->model->limits = (struct model_limits){
        .remaining_requests = header_number(exchange, "x-ratelimit-remaining-requests"),
        .remaining_tokens = header_number(exchange, "x-ratelimit-remaining-tokens")};
    return 0;
}

static bool is_success(unsigned status)
{
    return status >= 200 && status < 300;
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    struct model_call *call = self;
    if (!is_success(http_exchange_status(exchange))) {
        struct buf *body = &call->refusal_body;
        size_t room = REFUSAL_BYTES_MAX - body->length;
        buf_append(body, data, length < room ? length : room);
        return 0;
    }
    if (reader_feed(&call->reader, data, length, err) < 0) {
        call->reader_failed = true;
        return -1;
    }
    call->stopped = call->protocol == MODEL_REACT && call->react.is_cut;
    return call->stopped ? error_set(err, ERROR_CONFLICT, "the rest is not wanted") : 0;
}

static void on_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct model_call *call = self;
    unsigned status = http_exchange_status(exchange);
    call->exchange = NULL;
    if (is_success(status)) {
        end_answered(call, failure);
        return;
    }
    if (status == 0 || (failure && call->refusal_body.length == 0)) {
        end_unreachable(call, failure);
        return;
    }
    struct refusal refusal;
    refusal_read_body(call->refusal_body.data, call->refusal_body.length, &refusal);
    end_refused(call, status, &refusal);
}

static int write_body(struct model_call *call, struct error *err)
{
    struct model *model = call->model;
    const struct llm_request *request = &call->copy.request;
    const struct provider *provider =
        model->wire == MODEL_RESPONSES ? &provider_responses : &provider_chat;
    struct request_options options = {.model = model->name,
                                      .answer_tokens_max = model->answer_tokens_max,
                                      .without = model->without};
    assembly_begin(&call->assembly, &call->shapes, request->message_count, on_event, call);
    reader_begin(&call->reader, provider, &call->assembly);
    if (call->protocol == MODEL_TOOLS)
        return provider->write_request(&options, request, &call->shapes, &call->body, err);

    struct react_messages messages = {0};
    if (react_messages_build(&model->react, request, &call->shapes, &messages, err) < 0)
        return -1;
    react_parser_begin(&call->react, &call->shapes, request->answer_only);
    call->assembly.filter = react_parser_filter(&call->react);
    options.stop = REACT_STOP;
    struct llm_request text = {.messages = messages.items, .message_count = messages.count};
    int result = provider->write_request(&options, &text, &call->shapes, &call->body, err);
    react_messages_clear(&messages);
    return result;
}

static int start_exchange(struct model_call *call, const char *token, struct error *err)
{
    struct model *model = call->model;
    AUTO_BUF struct buf authorization = {.limit = HEADER_BYTES_MAX};
    if (token)
        buf_printf(&authorization, "Authorization: Bearer %s", token);
    else if (model->key)
        buf_printf(&authorization,
                   model->address.is_azure ? "api-key: %s" : "Authorization: Bearer %s",
                   model->key);
    const char *headers[] = {"Content-Type: application/json", "Accept: text/event-stream",
                             authorization.length > 0 ? authorization.data : NULL, NULL};
    struct http_exchange_options options = {.method = "POST",
                                            .url = model->address.url,
                                            .headers = headers,
                                            .body = call->body.data,
                                            .body_length = call->body.length,
                                            .answer_bytes_max = ANSWER_BYTES_MAX,
                                            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                            .stall_timeout_ms = model->silence_timeout_ms};
    struct http_exchange_handler handler = {
        .self = call, .on_head = on_head, .on_data = on_data, .on_done = on_done};
    int result = http_client_start(model->http, &options, &handler, &call->exchange, err);
    if (authorization.data)
        explicit_bzero(authorization.data, authorization.length);
    return result;
}

static void on_token(void *self, const char *token, const struct error *failure)
{
    struct model_call *call = self;
    struct error error = {0};
    if (!token)
        fail_later(call, failure);
    else if (start_exchange(call, token, &error) < 0)
        fail_later(call, &error);
}

static int start_attempt(struct model_call *call, struct error *err)
{
    struct model *model = call->model;
    call->protocol = model->protocol;
    call->reader_failed = call->stopped = call->has_told = false;
    call->retry_after_ms = -1;
    if (write_body(call, err) < 0)
        return -1;
    if (!model->use_credential)
        return start_exchange(call, NULL, err);
    call->wait = (struct credential_wait){.self = call, .on_token = on_token};
    credential_ask(&model->credential, CREDENTIAL_SCOPE_MODEL, call->wants_fresh_token,
                   &call->wait);
    return 0;
}

int model_ask(struct model *model, const struct llm_request *request,
              const struct model_handler *handler, struct model_call **ret_call, struct error *err)
{
    struct model_call *call = xcalloc(1, sizeof *call);
    call->model = model;
    call->handler = *handler;
    call->retry = (struct retry){.budget_ms = model->retry_budget_ms, .random = &model->random};
    request_copy_take(&call->copy, request);
    if (tool_shapes_read(request->tools, request->tool_count, &call->shapes, err) < 0 ||
        start_attempt(call, err) < 0) {
        call_free(call);
        return -1;
    }
    *ret_call = call;
    return 0;
}
