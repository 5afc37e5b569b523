#include "agent/pool/pool_client.h"

#include <string.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    CALL_TIMEOUT_MS = 60000,     /* listing, removing: the service answers at once */
    EXECUTION_SECONDS_MAX = 220, /* the service's own limit */
    EXECUTION_MARGIN_MS = 60000, /* allocating a session and sending the answer */
    STALL_TIMEOUT_MS = 60000,    /* file transfers: as long as bytes move */
    ANSWER_BYTES_MAX =
        128 * 1024 * 1024,          /* streams and value of 10 MiB each, as JSON escapes them */
    REFUSAL_BYTES_MAX = 256 * 1024, /* of an error body; the rest is not kept */
    UPLOAD_BYTES_MAX = 128 * 1024 * 1024, /* the service accepts files up to 128 MB each */
    AUTHORIZATION_BYTES_MAX = CREDENTIAL_TOKEN_BYTES_MAX + 64,
};
/* Larger than any session's data directory. */
static const uint64_t DOWNLOAD_BYTES_MAX = (uint64_t)64 * 1024 * 1024 * 1024;

struct pool_client {
    struct http_client *http;
    struct pool_endpoint endpoint;
    struct pool_version version;
    bool version_is_given;
    struct credential credential;
};

struct pool_call {
    struct pool_client *client;
    enum pool_operation operation;
    struct pool_handler handler;
    struct buf url;
    char *operation_header; /* NULL: none */
    struct buf request;     /* JSON */
    struct http_upload upload;
    char *upload_name;     /* NULL: no upload */
    struct pool_sink sink; /* of a download */
    bool stopped_by_sink;
    int64_t total_timeout_ms;
    int64_t stall_timeout_ms;

    bool starting; /* inside the function that starts it: its end is that one's result */
    bool renewing; /* the token was refused, and another one is asked for */
    bool renewed;
    struct credential_wait wait;
    struct buf authorization;
    struct http_exchange *exchange;
    struct pool_result result;
};

int pool_client_create(struct http_client *http, const struct pool_client_options *options,
                       struct pool_client **ret_client, struct error *err)
{
    struct pool_version version;
    struct pool_endpoint endpoint;
    const char *text = options->api_version ? options->api_version : POOL_VERSION_DEFAULT;
    if (pool_version_read(text, &version, err) < 0 ||
        pool_endpoint_read(options->endpoint, options->allow_insecure, &endpoint, err) < 0)
        return -1;

    struct pool_client *client = xcalloc(1, sizeof *client);
    client->http = http;
    client->endpoint = endpoint;
    client->version = version;
    client->version_is_given = options->api_version != NULL;
    client->credential = options->credential.ask
                             ? options->credential
                             : credential_from_environment(endpoint.is_loopback);
    *ret_client = client;
    return 0;
}

void pool_client_destroy(struct pool_client *client)
{
    if (!client)
        return;
    pool_endpoint_clear(&client->endpoint);
    free(client);
}

/* Words of Azure's and of ours. Older services answer 404 where they have not the path. */
bool pool_client_try_older(struct pool_client *client, const struct pool_result *result)
{
    static const char *const codes[] = {"UnsupportedApiVersion", "InvalidApiVersionParameter",
                                        "NoRegisteredProviderFound", "ApiVersionNotSupported",
                                        "UnsupportedApiVersionValue"};
    if (!result->refused || client->version_is_given)
        return false;
    const char *code = result->service.code ? result->service.code : "";
    const char *message = result->service.message ? result->service.message : "";
    bool is_why = result->status == 400 && strcasestr(message, "api-version");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        is_why |= strcmp(code, codes[i]) == 0;
    return is_why && pool_version_step_down(&client->version);
}

bool pool_client_lists_recursively(const struct pool_client *client)
{
    return strcmp(client->version.text, "2025-10-02") >= 0;
}

void pool_result_clear(struct pool_result *result)
{
    wire_error_clear(&result->service);
    wire_execution_clear(&result->execution);
    wire_file_list_clear(&result->files);
    wire_file_clear(&result->file);
    buf_free(&result->answer);
    *result = (struct pool_result){0};
}

static void forget_token(struct pool_call *call)
{
    if (call->authorization.data)
        explicit_bzero(call->authorization.data, call->authorization.length);
    buf_free(&call->authorization);
}

static void call_free(struct pool_call *call)
{
    credential_cancel(&call->wait);
    pool_result_clear(&call->result);
    buf_free(&call->url);
    buf_free(&call->request);
    forget_token(call);
    free(call->upload_name);
    free(call->operation_header);
    free(call);
}

/* ---- the answer ---- */

static int read_nothing(struct pool_call *call, struct error *err)
{
    (void)call;
    (void)err;
    return 0;
}

static int read_execution(struct pool_call *call, struct error *err)
{
    const struct buf *answer = &call->result.answer;
    return wire_read_execution(call->client->version.generation, answer->data, answer->length,
                               &call->result.execution, err);
}

static int read_file_list(struct pool_call *call, struct error *err)
{
    const struct buf *answer = &call->result.answer;
    return wire_read_file_list(call->client->version.generation, answer->data, answer->length,
                               &call->result.files, err);
}

static int read_file(struct pool_call *call, struct error *err)
{
    const struct buf *answer = &call->result.answer;
    return wire_read_file(call->client->version.generation, answer->data, answer->length,
                          &call->result.file, err);
}

/* How the answer to each operation is read. */
static int (*const readers[])(struct pool_call *call, struct error *err) = {
    [POOL_EXECUTE] = read_execution, [POOL_LIST] = read_file_list,
    [POOL_UPLOAD] = read_file,       [POOL_DOWNLOAD] = read_nothing,
    [POOL_REMOVE] = read_nothing,    [POOL_DELETE_SESSION] = read_nothing,
    [POOL_CANCEL] = read_nothing,
};

static bool is_success(unsigned status)
{
    return status >= 200 && status < 300;
}

static enum error_code code_of(unsigned status)
{
    switch (status) {
    case 401:
    case 403:
        return ERROR_DENIED;
    case 404:
        return ERROR_MISSING;
    case 413:
    case 429:
    case 507:
        return ERROR_LIMIT;
    case 408:
        return ERROR_TIMEOUT;
    default:
        return status < 500 ? ERROR_INVALID : ERROR_SYSTEM;
    }
}

/* The service said no: keeps its words, and makes a sentence of them. */
static void describe_refusal(struct pool_call *call)
{
    struct pool_result *result = &call->result;
    struct wire_error *service = &result->service;
    result->refused = true;
    if (result->status >= 300 && result->status < 400) {
        const char *location = http_exchange_header(call->exchange, "Location");
        error_set(&result->failure, ERROR_DENIED,
                  "the pool answered %u with a redirect to %.200s, which is not followed because "
                  "the credential would go there too",
                  result->status, location ? location : "nowhere");
        return;
    }
    struct error ignored;
    const struct buf *answer = &result->answer;
    bool has_body =
        answer->length > 0 && wire_read_error(answer->data, answer->length, service, &ignored) == 0;
    error_set(&result->failure, code_of(result->status), "the pool answered %u%s%.64s%s%.360s",
              result->status, has_body ? " " : "", has_body ? service->code : "",
              has_body ? ": " : "", has_body ? service->message : "");
}

static int on_head(void *self, struct http_exchange *exchange, struct error *err)
{
    (void)err;
    struct pool_call *call = self;
    call->result.status = http_exchange_status(exchange);
    call->result.retry_after_s = http_exchange_retry_after_s(exchange);
    return 0;
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    (void)exchange;
    struct pool_call *call = self;
    struct pool_result *result = &call->result;
    bool succeeds = is_success(result->status);
    if (succeeds && call->operation == POOL_DOWNLOAD) {
        result->downloaded_bytes += length;
        call->stopped_by_sink = call->sink.on_data(call->sink.self, data, length, err) < 0;
        return call->stopped_by_sink ? -1 : 0;
    }

    size_t limit = succeeds ? ANSWER_BYTES_MAX : REFUSAL_BYTES_MAX;
    if (!succeeds && length > limit - result->answer.length)
        length = limit - result->answer.length;
    if (length > limit - result->answer.length || !buf_append(&result->answer, data, length))
        return error_set(err, ERROR_LIMIT, "the answer is larger than %zu bytes", limit);
    return 0;
}

static void end_call(struct pool_call *call)
{
    call->handler.on_done(call->handler.self, &call->result);
    call_free(call);
}

/* A token that has been refused is replaced once: it may have been revoked, or have expired early.
 */
static bool may_renew(const struct pool_call *call)
{
    return call->result.status == 401 && !call->renewed && call->result.downloaded_bytes == 0;
}

static void ask_for_token(struct pool_call *call, bool fresh);

static void on_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    (void)exchange;
    struct pool_call *call = self;
    struct pool_result *result = &call->result;
    if (failure) {
        result->failure = *failure;
        if (!call->stopped_by_sink)
            error_add_context(&result->failure, "reach the pool at %.200s",
                              call->client->endpoint.base);
    } else if (!is_success(result->status)) {
        describe_refusal(call);
    } else if (readers[call->operation](call, &result->failure) < 0) {
        error_add_context(&result->failure, "read the pool's answer");
    } else {
        result->succeeded = true;
    }
    call->exchange = NULL;
    if (failure || !may_renew(call)) {
        end_call(call);
        return;
    }
    call->renewed = call->renewing = true;
    ask_for_token(call, true);
}

void pool_call_cancel(struct pool_call *call)
{
    if (call->exchange)
        http_exchange_cancel(call->exchange);
    error_set(&call->result.failure, ERROR_CONFLICT, "cancelled");
    end_call(call);
}

/* ---- the request ---- */

/* What differs between calls; NULL and 0 where absent. */
struct call_plan {
    enum pool_operation operation;
    struct pool_target target;
    const char *operation_id;
    struct buf request; /* JSON; taken */
    const struct http_upload *upload;
    const struct pool_sink *sink;
    int64_t total_timeout_ms;
    int64_t stall_timeout_ms;
};

static int start_exchange(struct pool_call *call, struct error *err)
{
    bool is_download = call->operation == POOL_DOWNLOAD;
    const char *json = call->request.length > 0 ? "Content-Type: application/json" : NULL;
    const char *operation = call->operation_header;
    const char *headers[] = {call->authorization.data, json ? json : operation,
                             json ? operation : NULL, NULL};
    struct http_exchange_options options = {
        .method = pool_url_method(call->operation),
        .url = call->url.data,
        .headers = headers,
        .body = json ? call->request.data : NULL,
        .body_length = call->request.length,
        .upload = call->upload_name ? &call->upload : NULL,
        .answer_bytes_max = is_download ? DOWNLOAD_BYTES_MAX : ANSWER_BYTES_MAX,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .total_timeout_ms = call->total_timeout_ms,
        .stall_timeout_ms = call->stall_timeout_ms,
    };
    struct http_exchange_handler handler = {
        .self = call, .on_head = on_head, .on_data = on_data, .on_done = on_done};
    pool_result_clear(&call->result);
    call->result.retry_after_s = -1;
    return http_client_start(call->client->http, &options, &handler, &call->exchange, err);
}

/* False when it is the one that has been refused. */
static bool take_token(struct pool_call *call, const char *token)
{
    AUTO_BUF struct buf header = {.limit = AUTHORIZATION_BYTES_MAX};
    buf_printf(&header, "Authorization: Bearer %s", token);
    bool is_same = call->authorization.length == header.length &&
                   memcmp(call->authorization.data, header.data, header.length) == 0;
    if (!is_same) {
        forget_token(call);
        call->authorization = header;
        header = (struct buf){0};
    }
    return !is_same;
}

static void on_token(void *self, const char *token, const struct error *failure)
{
    struct pool_call *call = self;
    struct error err;
    if (call->renewing && (failure || !take_token(call, token))) {
        end_call(call); /* with the refusal of before */
        return;
    }
    if (failure) {
        err = *failure;
    } else {
        if (!call->renewing)
            take_token(call, token);
        call->renewing = false;
        if (start_exchange(call, &err) == 0)
            return;
    }
    call->result.failure = err;
    if (!call->starting)
        end_call(call);
}

static void ask_for_token(struct pool_call *call, bool fresh)
{
    call->wait = (struct credential_wait){.self = call, .on_token = on_token};
    credential_ask(&call->client->credential, CREDENTIAL_SCOPE_POOL, fresh, &call->wait);
}

static int fill_call(struct pool_call *call, struct call_plan *plan, struct error *err)
{
    struct pool_client *client = call->client;
    call->request = plan->request;
    if (plan->sink)
        call->sink = *plan->sink;
    if (plan->upload) {
        call->upload = *plan->upload;
        call->upload.filename = call->upload_name = xstrdup(plan->upload->filename);
    }
    call->total_timeout_ms = plan->total_timeout_ms;
    call->stall_timeout_ms = plan->stall_timeout_ms;
    call->result.retry_after_s = -1;
    return pool_url_build(&client->endpoint, &client->version, plan->operation, &plan->target,
                          &call->url, err);
}

static int start_call(struct pool_client *client, struct call_plan *plan,
                      const struct pool_handler *handler, struct pool_call **ret_call,
                      struct error *err)
{
    struct pool_call *call = xcalloc(1, sizeof *call);
    call->client = client;
    call->operation = plan->operation;
    call->handler = *handler;
    if (plan->operation_id)
        call->operation_header = xasprintf("operation-id: %s", plan->operation_id);
    if (fill_call(call, plan, err) < 0) {
        call_free(call);
        return -1;
    }
    call->starting = true;
    ask_for_token(call, false);
    call->starting = false;
    if (call->result.failure.code != ERROR_NONE) {
        if (err)
            *err = call->result.failure;
        call_free(call);
        return -1;
    }
    *ret_call = call;
    return 0;
}

/* ---- the operations ---- */

int pool_client_execute(struct pool_client *client, const char *identifier,
                        const struct wire_execution_request *request,
                        const struct pool_handler *handler, struct pool_call **ret_call,
                        struct error *err)
{
    return pool_client_execute_as(client, identifier, request, NULL, handler, ret_call, err);
}

int pool_client_cancel(struct pool_client *client, const char *identifier, const char *operation_id,
                       const struct pool_handler *handler, struct pool_call **ret_call,
                       struct error *err)
{
    struct call_plan plan = {.operation = POOL_CANCEL,
                             .target = {.identifier = identifier, .path = operation_id},
                             .total_timeout_ms = CALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}

int pool_client_execute_as(struct pool_client *client, const char *identifier,
                           const struct wire_execution_request *request, const char *operation_id,
                           const struct pool_handler *handler, struct pool_call **ret_call,
                           struct error *err)
{
    int64_t seconds = request->timeout_s > 0 ? request->timeout_s : EXECUTION_SECONDS_MAX;
    struct call_plan plan = {.operation = POOL_EXECUTE,
                             .target = {.identifier = identifier},
                             .operation_id = operation_id,
                             .total_timeout_ms = seconds * 1000 + EXECUTION_MARGIN_MS};
    if (wire_write_execution_request(client->version.generation, request, &plan.request, err) < 0) {
        buf_free(&plan.request);
        return -1;
    }
    return start_call(client, &plan, handler, ret_call, err);
}

int pool_client_list(struct pool_client *client, const char *identifier, const char *directory,
                     bool recursive, const struct pool_handler *handler,
                     struct pool_call **ret_call, struct error *err)
{
    AUTO_FREE char *path = NULL;
    if (pool_path_clean(directory ? directory : "", &path, err) < 0)
        return -1;
    struct call_plan plan = {.operation = POOL_LIST,
                             .target = {identifier, path, recursive},
                             .total_timeout_ms = CALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}

/* Opened by the caller; checked by what it is, not by its name. */
static int measure_file(int fd, uint64_t *ret_bytes, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_from_errno(err, "fstat");
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID, "not a regular file");
    if (status.st_size > UPLOAD_BYTES_MAX)
        return error_set(err, ERROR_LIMIT,
                         "the file has %lld bytes; the service accepts at most %d",
                         (long long)status.st_size, UPLOAD_BYTES_MAX);
    *ret_bytes = (uint64_t)status.st_size;
    return 0;
}

int pool_client_upload(struct pool_client *client, const char *identifier, const char *directory,
                       const char *name, int fd, const struct pool_handler *handler,
                       struct pool_call **ret_call, struct error *err)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *clean_name = NULL;
    uint64_t length_bytes = 0;
    if (pool_path_clean(directory ? directory : "", &path, err) < 0 ||
        pool_path_clean(name, &clean_name, err) < 0 || measure_file(fd, &length_bytes, err) < 0)
        return -1;

    /* Generation 1 has no directory parameter: the name carries it. */
    bool joins = client->version.generation == WIRE_GENERATION_1 && *path;
    AUTO_FREE char *joined = joins ? xasprintf("%s/%s", path, clean_name) : NULL;
    struct http_upload upload = {.part_name = "file",
                                 .filename = joined ? joined : clean_name,
                                 .content_type = "application/octet-stream",
                                 .fd = fd,
                                 .length_bytes = length_bytes};
    struct call_plan plan = {.operation = POOL_UPLOAD,
                             .target = {.identifier = identifier, .path = path},
                             .upload = &upload,
                             .stall_timeout_ms = STALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}

int pool_client_download(struct pool_client *client, const char *identifier, const char *path,
                         const struct pool_sink *sink, const struct pool_handler *handler,
                         struct pool_call **ret_call, struct error *err)
{
    AUTO_FREE char *clean = NULL;
    if (pool_path_clean(path, &clean, err) < 0)
        return -1;
    struct call_plan plan = {.operation = POOL_DOWNLOAD,
                             .target = {.identifier = identifier, .path = clean},
                             .sink = sink,
                             .stall_timeout_ms = STALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}

int pool_client_remove_file(struct pool_client *client, const char *identifier, const char *path,
                            const struct pool_handler *handler, struct pool_call **ret_call,
                            struct error *err)
{
    AUTO_FREE char *clean = NULL;
    if (pool_path_clean(path, &clean, err) < 0)
        return -1;
    struct call_plan plan = {.operation = POOL_REMOVE,
                             .target = {.identifier = identifier, .path = clean},
                             .total_timeout_ms = CALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}

int pool_client_delete_session(struct pool_client *client, const char *identifier,
                               const struct pool_handler *handler, struct pool_call **ret_call,
                               struct error *err)
{
    struct call_plan plan = {.operation = POOL_DELETE_SESSION,
                             .target = {.identifier = identifier},
                             .total_timeout_ms = CALL_TIMEOUT_MS};
    return start_call(client, &plan, handler, ret_call, err);
}
