#include "base/http/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

enum {
    RECEIVE_BUFFER_BYTES = 64 * 1024,
    SEND_BUFFER_BYTES = 128 * 1024, /* fewer wake-ups for large uploads than curl's 64 KiB */
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    char *user_agent;
    char *authorities; /* NULL: libcurl's own */
    struct timer timer;
    struct http_exchange *exchanges;
    struct http_observer observer; /* zeroed: none */
    bool in_curl;                  /* libcurl is on the stack: handles must not be removed */
};

/* One of libcurl's sockets. */
struct connection {
    struct http_client *client;
    struct watch watch;
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next;
    struct http_exchange **previous_next;
    struct http_exchange_handler handler;

    CURL *easy;
    struct curl_slist *headers;
    curl_mime *mime;
    int upload_fd;
    uint64_t upload_bytes;
    uint64_t upload_offset;

    bool is_observed;
    void *seen; /* the observer's */

    bool head_seen;
    uint64_t answer_bytes;
    uint64_t answer_bytes_max;
    struct error failure; /* what one of our callbacks found; libcurl only says "aborted" then */
    char message[CURL_ERROR_SIZE];
};

/* ---- the observer ---- */

static void observe_end(struct http_exchange *exchange, bool is_complete)
{
    const struct http_observer *observer = &exchange->client->observer;
    if (exchange->is_observed)
        observer->on_end(observer->self, exchange->seen, is_complete);
    exchange->is_observed = false;
}

static void observe_start(struct http_exchange *exchange,
                          const struct http_exchange_options *options)
{
    const struct http_observer *observer = &exchange->client->observer;
    exchange->is_observed = observer->on_start;
    if (exchange->is_observed)
        exchange->seen = observer->on_start(observer->self, options);
}

void http_client_observe(struct http_client *client, const struct http_observer *observer)
{
    for (struct http_exchange *exchange = client->exchanges; exchange; exchange = exchange->next)
        observe_end(exchange, false);
    client->observer = observer ? *observer : (struct http_observer){0};
}

/* ---- the loop ---- */

static void exchange_free(struct http_exchange *exchange)
{
    observe_end(exchange, false);
    *exchange->previous_next = exchange->next;
    if (exchange->next)
        exchange->next->previous_next = exchange->previous_next;

    curl_easy_cleanup(exchange->easy);
    curl_mime_free(exchange->mime);
    curl_slist_free_all(exchange->headers);
    free(exchange);
}

static enum error_code code_of(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERROR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERROR_INVALID;
    default:
        return ERROR_SYSTEM;
    }
}

static void describe_failure(const struct http_exchange *exchange, CURLcode code,
                             struct error *ret_failure)
{
    if (exchange->failure.code != ERROR_NONE) {
        *ret_failure = exchange->failure;
        return;
    }
    const char *message = exchange->message[0] ? exchange->message : curl_easy_strerror(code);
    if (code == CURLE_PARTIAL_FILE)
        error_set(ret_failure, ERROR_SYSTEM, "the answer ended early: %s", message);
    else
        error_set(ret_failure, code_of(code), "%s", message);
}

static void finish(struct http_exchange *exchange, CURLcode code)
{
    curl_multi_remove_handle(exchange->client->multi, exchange->easy);

    struct error failure = {0};
    if (code != CURLE_OK)
        describe_failure(exchange, code, &failure);
    observe_end(exchange, code == CURLE_OK);
    exchange->handler.on_done(exchange->handler.self, exchange, code == CURLE_OK ? NULL : &failure);
    exchange_free(exchange);
}

/* Lets libcurl work on one socket (or on its time-outs), then reports what has ended. */
static void act(struct http_client *client, curl_socket_t socket, int events)
{
    int running;
    client->in_curl = true;
    curl_multi_socket_action(client->multi, socket, events, &running);
    client->in_curl = false;

    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        struct http_exchange *exchange;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        finish(exchange, code);
    }
}

static void on_ready(void *self, uint32_t events)
{
    struct connection *connection = self;
    int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(connection->client, connection->watch.fd, what);
}

static void on_time(void *self)
{
    act(self, CURL_SOCKET_TIMEOUT, 0);
}

static uint32_t events_of(int what)
{
    return (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
           (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
}

static int on_socket_change(CURL *easy, curl_socket_t socket, int what, void *self, void *known)
{
    (void)easy;
    struct http_client *client = self;
    struct connection *connection = known;

    if (what == CURL_POLL_REMOVE) {
        if (connection)
            loop_unwatch(client->loop, &connection->watch);
        free(connection);
        return 0;
    }
    if (connection) {
        loop_change(client->loop, &connection->watch, events_of(what));
        return 0;
    }

    connection = xcalloc(1, sizeof *connection);
    connection->client = client;
    if (loop_watch(client->loop, &connection->watch, socket, events_of(what), on_ready, connection,
                   NULL) < 0) {
        free(connection);
        return -1; /* every transfer then fails as aborted */
    }
    curl_multi_assign(client->multi, socket, connection);
    return 0;
}

static int on_timer_change(CURLM *multi, long timeout_ms, void *self)
{
    (void)multi;
    struct http_client *client = self;
    if (timeout_ms < 0)
        loop_stop_timer(client->loop, &client->timer);
    else
        loop_start_timer(client->loop, &client->timer, loop_now_ms(client->loop) + timeout_ms,
                         on_time, client);
    return 0;
}

struct http_client *http_client_create(struct loop *loop, const char *user_agent, struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERROR_SYSTEM, "libcurl cannot start");
        return NULL;
    }
    CURLM *multi = curl_multi_init();
    if (!multi) {
        curl_global_cleanup();
        error_set(err, ERROR_SYSTEM, "libcurl has no memory");
        return NULL;
    }
    struct http_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->multi = multi;
    client->user_agent = xstrdup(user_agent);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    return client;
}

void http_client_trust(struct http_client *client, const char *path)
{
    free(client->authorities);
    client->authorities = xstrdup(path);
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    for (struct http_exchange *exchange = client->exchanges, *next; exchange; exchange = next) {
        next = exchange->next;
        http_exchange_cancel(exchange);
    }
    curl_multi_cleanup(client->multi); /* closes kept connections: its callbacks still come */
    loop_stop_timer(client->loop, &client->timer);
    free(client->user_agent);
    free(client->authorities);
    free(client);
    curl_global_cleanup();
}

/* ---- the answer ---- */

static uint64_t announced_bytes(const struct http_exchange *exchange)
{
    curl_off_t length = -1;
    curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length > 0 ? (uint64_t)length : 0;
}

static int refuse_size(struct http_exchange *exchange)
{
    return error_set(&exchange->failure, ERROR_LIMIT,
                     "the answer is larger than the %llu bytes that are accepted here",
                     (unsigned long long)exchange->answer_bytes_max);
}

/* Called for each header line; an empty one ends the head. Interim answers (100) have heads too. */
static size_t on_header_line(char *data, size_t size, size_t count, void *self)
{
    struct http_exchange *exchange = self;
    size_t length = size * count;
    bool ends_head = length <= 2 && data[0] != ' ' && (data[0] == '\r' || data[0] == '\n');
    if (!ends_head || exchange->head_seen || http_exchange_status(exchange) < 200)
        return length;

    exchange->head_seen = true;
    if (announced_bytes(exchange) > exchange->answer_bytes_max) {
        refuse_size(exchange);
        return 0;
    }
    const struct http_observer *observer = &exchange->client->observer;
    if (exchange->is_observed)
        observer->on_head(observer->self, exchange->seen, exchange);
    if (exchange->handler.on_head &&
        exchange->handler.on_head(exchange->handler.self, exchange, &exchange->failure) < 0)
        return 0;
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    struct http_exchange *exchange = self;
    size_t length = size * count;
    exchange->answer_bytes += length;
    if (exchange->answer_bytes > exchange->answer_bytes_max) {
        refuse_size(exchange);
        return CURL_WRITEFUNC_ERROR;
    }
    const struct http_observer *observer = &exchange->client->observer;
    if (exchange->is_observed)
        observer->on_data(observer->self, exchange->seen, data, length);
    if (exchange->handler.on_data(exchange->handler.self, exchange, data, length,
                                  &exchange->failure) < 0)
        return CURL_WRITEFUNC_ERROR;
    return length;
}

unsigned http_exchange_status(const struct http_exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return status > 0 ? (unsigned)status : 0;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(exchange->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

int64_t http_exchange_retry_after_s(const struct http_exchange *exchange)
{
    curl_off_t seconds = 0;
    if (!http_exchange_header(exchange, "Retry-After"))
        return -1;
    curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &seconds);
    return seconds > 0 ? seconds : 0; /* a date that has passed */
}

/* ---- the request ---- */

static size_t on_upload_read(char *buffer, size_t size, size_t count, void *self)
{
    struct http_exchange *exchange = self;
    uint64_t left = exchange->upload_bytes - exchange->upload_offset;
    size_t most = size * count < left ? size * count : (size_t)left;
    if (most == 0)
        return 0;

    ssize_t got;
    do {
        got = pread(exchange->upload_fd, buffer, most, (off_t)exchange->upload_offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        error_from_errno(&exchange->failure, "read the file that is being sent");
    else if (got == 0)
        error_set(&exchange->failure, ERROR_CONFLICT, "the file became shorter while it was sent");
    if (got <= 0)
        return CURL_READFUNC_ABORT;
    exchange->upload_offset += (uint64_t)got;
    return (size_t)got;
}

static int on_upload_seek(void *self, curl_off_t offset, int origin)
{
    struct http_exchange *exchange = self;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > exchange->upload_bytes)
        return CURL_SEEKFUNC_FAIL;
    exchange->upload_offset = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static CURLcode set_upload(struct http_exchange *exchange, const struct http_upload *upload)
{
    exchange->upload_fd = upload->fd;
    exchange->upload_bytes = upload->length_bytes;
    exchange->mime = curl_mime_init(exchange->easy);
    curl_mimepart *part = exchange->mime ? curl_mime_addpart(exchange->mime) : NULL;
    if (!part)
        return CURLE_OUT_OF_MEMORY;

    CURLcode code = curl_mime_name(part, upload->part_name);
    if (code == CURLE_OK)
        code = curl_mime_filename(part, upload->filename);
    if (code == CURLE_OK)
        code = curl_mime_type(part, upload->content_type);
    if (code == CURLE_OK)
        code = curl_mime_data_cb(part, (curl_off_t)upload->length_bytes, on_upload_read,
                                 on_upload_seek, NULL, exchange);
    if (code == CURLE_OK)
        code = curl_easy_setopt(exchange->easy, CURLOPT_MIMEPOST, exchange->mime);
    return code;
}

/* Sets options until the first that fails. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK)                                                                      \
            code = curl_easy_setopt(easy, option, value);                                          \
    } while (0)

static CURLcode set_body(struct http_exchange *exchange,
                         const struct http_exchange_options *options)
{
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    if (options->upload) {
        code = set_upload(exchange, options->upload);
    } else if (options->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body_length);
        SET(CURLOPT_POSTFIELDS, options->body);
    }
    if (strcmp(options->method, "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, options->method);
    return code;
}

static CURLcode set_limits(struct http_exchange *exchange,
                           const struct http_exchange_options *options)
{
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)options->total_timeout_ms);
    if (options->stall_timeout_ms > 0) {
        SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(CURLOPT_LOW_SPEED_TIME, (long)((options->stall_timeout_ms + 999) / 1000));
    }
    return code;
}

static CURLcode set_trust(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    if (exchange->client->authorities)
        SET(CURLOPT_CAINFO, exchange->client->authorities);
    return code;
}

static CURLcode set_callbacks(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_PRIVATE, exchange);
    SET(CURLOPT_ERRORBUFFER, exchange->message);
    SET(CURLOPT_HEADERFUNCTION, on_header_line);
    SET(CURLOPT_HEADERDATA, exchange);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, exchange);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES);
    return code;
}

static CURLcode set_headers(struct http_exchange *exchange,
                            const struct http_exchange_options *options)
{
    CURL *easy = exchange->easy;
    CURLcode code = CURLE_OK;
    for (const char *const *header = options->headers; header && *header; header++) {
        struct curl_slist *longer = curl_slist_append(exchange->headers, *header);
        if (!longer)
            return CURLE_OUT_OF_MEMORY;
        exchange->headers = longer;
    }
    SET(CURLOPT_HTTPHEADER, exchange->headers);
    SET(CURLOPT_USERAGENT, exchange->client->user_agent);
    return code;
}

static CURLcode prepare(struct http_exchange *exchange, const struct http_exchange_options *options,
                        const struct http_url *url)
{
    CURL *easy = exchange->easy;
    CURLcode code = set_limits(exchange, options);
    SET(CURLOPT_URL, options->url);
    if (url->is_loopback) /* http_proxy in the environment is not meant for this machine itself */
        SET(CURLOPT_PROXY, "");
    if (code == CURLE_OK)
        code = set_trust(exchange);
    if (code == CURLE_OK)
        code = set_callbacks(exchange);
    if (code == CURLE_OK)
        code = set_headers(exchange, options);
    if (code == CURLE_OK)
        code = set_body(exchange, options);
    return code;
}

static struct http_exchange *exchange_create(struct http_client *client,
                                             const struct http_exchange_handler *handler,
                                             uint64_t answer_bytes_max)
{
    struct http_exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->client = client;
    exchange->handler = *handler;
    exchange->answer_bytes_max = answer_bytes_max;

    exchange->next = client->exchanges;
    exchange->previous_next = &client->exchanges;
    if (exchange->next)
        exchange->next->previous_next = &exchange->next;
    client->exchanges = exchange;
    return exchange;
}

int http_client_start(struct http_client *client, const struct http_exchange_options *options,
                      const struct http_exchange_handler *handler,
                      struct http_exchange **ret_exchange, struct error *err)
{
    struct http_url url = {0};
    if (http_url_read(options->url, &url, err) < 0)
        return -1;

    struct http_exchange *exchange = exchange_create(client, handler, options->answer_bytes_max);
    exchange->easy = curl_easy_init();
    CURLcode code = exchange->easy ? prepare(exchange, options, &url) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK && curl_multi_add_handle(client->multi, exchange->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK) {
        exchange_free(exchange);
        return error_set(err, code_of(code), "prepare the request: %s", curl_easy_strerror(code));
    }
    observe_start(exchange, options);
    *ret_exchange = exchange;
    return 0;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    assert(!exchange->client->in_curl);
    curl_multi_remove_handle(exchange->client->multi, exchange->easy);
    exchange_free(exchange);
}

/* ---- URLs ---- */

/* libcurl has already brought "127.1" and the like into the usual form, and it answers "localhost"
 * by itself without asking anyone. */
static bool is_loopback_host(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[HTTP_HOST_BYTES_MAX];
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    size_t length = strlen(host);
    if (length < 3 || host[0] != '[' || host[length - 1] != ']')
        return false;
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool has_part(CURLU *handle, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(handle, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
}

/* Copies a part of the URL; false when it is absent or too long. */
static bool copy_part(CURLU *handle, CURLUPart part, char *ret_text, size_t capacity)
{
    char *text = NULL;
    if (curl_url_get(handle, part, &text, 0) != CURLUE_OK)
        return false;
    size_t length = strlen(text);
    if (length < capacity)
        memcpy(ret_text, text, length + 1);
    curl_free(text);
    return length < capacity;
}

static int describe_url(CURLU *handle, struct http_url *ret_url, struct error *err)
{
    char scheme[16];
    struct http_url url = {0};
    if (!copy_part(handle, CURLUPART_SCHEME, scheme, sizeof scheme) ||
        !copy_part(handle, CURLUPART_HOST, url.host, sizeof url.host))
        return error_set(err, ERROR_INVALID, "must be a URL that begins with http:// or https://");

    url.is_https = strcmp(scheme, "https") == 0;
    if (!url.is_https && strcmp(scheme, "http") != 0)
        return error_set(err, ERROR_INVALID, "must begin with http:// or https://, not %s://",
                         scheme);
    url.is_loopback = is_loopback_host(url.host);
    url.has_credentials = has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
    url.has_fragment = has_part(handle, CURLUPART_FRAGMENT);
    *ret_url = url;
    return 0;
}

int http_url_read(const char *text, struct http_url *ret_url, struct error *err)
{
    if (strlen(text) > HTTP_URL_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "the URL is longer than %d bytes", HTTP_URL_BYTES_MAX);
    CURLU *handle = curl_url();
    if (!handle)
        return error_set(err, ERROR_SYSTEM, "libcurl has no memory");

    int result;
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, 0);
    if (code != CURLUE_OK)
        result =
            error_set(err, ERROR_INVALID, "must be a URL that begins with http:// or https:// (%s)",
                      curl_url_strerror(code));
    else
        result = describe_url(handle, ret_url, err);
    curl_url_cleanup(handle);
    return result;
}
