#include "base/http/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/http/http_guard.h"

/* Per connection: the largest head that is accepted, what the library keeps about it, and room for
 * a piece of the body and for the answer's head.
 *
 * Some requests never reach us, and the library (0.9.75) answers them itself with a page of HTML,
 * then closes: heads that do not fit (431, 414), a line without a colon (400), versions other
 * than 1.x (505), a Content-Length that is no number (400) or beyond 64 bits (413), both of these
 * sent twice. A query of thousands of parameters does not fit either and is left without an answer
 * until its head is late. Where a request line begins with a blank or has tabs it only closes.
 * Inside a chunked body it takes line feeds alone and extensions of any length. */
enum { CONNECTION_MEMORY_BYTES = 80 * 1024 };

/* What a streamed body is asked for at a time, where it is not chunked (HTTP/1.0). */
enum { STREAM_BLOCK_BYTES = 16 * 1024 };

/* What a file is read by; each download under way holds one. */
enum { FILE_BLOCK_BYTES = 64 * 1024 };

struct http_request {
    struct MHD_Connection *mhd;
    const char *method;
    char *target; /* as it came */
    void *data;
    bool begun;        /* its head is complete */
    bool presented;    /* the handler has seen it */
    bool ended;        /* on_end was called */
    bool held;         /* by the handler */
    bool is_suspended; /* at the library */
    bool is_answered;  /* `answer` is there or was queued */
    bool hung_up;      /* the client's side of the stream has ended */
    struct MHD_Response *answer;
    struct http_source source; /* of a streamed answer */
    unsigned status;
    uint64_t drained_bytes;
};

/* Lives from accept to close; its requests follow each other. */
struct connection {
    struct http_server *server;
    struct connection *next;
    struct connection **link; /* what points here */
    int fd;
    struct timer head_timer;
    struct watch hang_up;
    struct http_request request;
};

struct http_server {
    struct loop *loop;
    struct http_handler handler;
    int64_t idle_timeout_ms;
    struct MHD_Daemon *daemon;
    struct watch watch;
    struct connection *connections;
    unsigned count;
    bool is_tls;
    bool resumed; /* a connection waits for the library to run */
    struct preparation preparation;
};

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* ---- the head's deadline ---- */

static void on_head_late(void *self)
{
    static const char answer[] =
        "HTTP/1.1 408 Request Timeout\r\n"
        "Content-Type: application/json\r\n"
        "x-ms-error-code: RequestTimeout\r\n"
        "Connection: close\r\n\r\n"
        "{\"error\":{\"code\":\"RequestTimeout\",\"message\":\"the head came too slowly\"}}";
    struct connection *connection = self;
    /* Whether it arrives is the client's business. The library finds the end of the stream at its
     * next read and closes. Clear text would only corrupt a TLS stream. */
    if (!connection->server->is_tls)
        (void)!send(connection->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(connection->fd, SHUT_RDWR);
}

static void expect_head(struct connection *connection, int64_t within_ms)
{
    struct loop *loop = connection->server->loop;
    int64_t at_ms = loop_now_ms(loop) + within_ms;
    if (!connection->head_timer.active || connection->head_timer.at_ms > at_ms)
        loop_start_timer(loop, &connection->head_timer, at_ms, on_head_late, connection);
}

/* ---- responses ---- */

void http_response_add(struct http_response *response, const char *name, const char *value)
{
    if (response->headers == HTTP_RESPONSE_HEADERS_MAX)
        return;
    response->header_names[response->headers] = name;
    response->header_values[response->headers++] = value;
}

static enum MHD_Result suspend(struct http_request *request)
{
    request->is_suspended = true;
    MHD_suspend_connection(request->mhd);
    return MHD_YES;
}

static ssize_t read_source(void *self, uint64_t position, char *data, size_t room)
{
    struct http_request *request = self;
    (void)position;
    ssize_t length = request->source.read(request->source.self, data, room);
    if (length < 0)
        return length == HTTP_SOURCE_BREAK ? MHD_CONTENT_READER_END_WITH_ERROR
                                           : MHD_CONTENT_READER_END_OF_STREAM;
    if (length == 0)
        suspend(request);
    return length;
}

/* ---- a file as body ---- */

/* Not by the library's sendfile: a file that has become shorter than was promised would keep it
 * waiting for bytes that never come, until the connection has been idle for too long. */
static ssize_t read_file(void *self, uint64_t position, char *data, size_t room)
{
    const int *fd = self;
    ssize_t length;
    do {
        length = pread(*fd, data, room, (off_t)position);
    } while (length < 0 && errno == EINTR);
    return length > 0 ? length : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void close_file(void *self)
{
    int *fd = self;
    close_fd(fd);
    free(fd);
}

static struct MHD_Response *make_file_body(const struct http_response *response)
{
    int *fd = xcalloc(1, sizeof *fd);
    *fd = response->file_fd;
    struct MHD_Response *made = MHD_create_response_from_callback(
        response->file_length, FILE_BLOCK_BYTES, read_file, fd, close_file);
    if (!made)
        close_file(fd);
    return made;
}

/* The library takes the body and the file. */
static struct MHD_Response *make_body(struct http_request *request,
                                      const struct http_response *response)
{
    if (request->source.read)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_source,
                                                 request, NULL);
    if (response->has_file)
        return make_file_body(response);
    return MHD_create_response_from_buffer(response->body_length, response->body,
                                           MHD_RESPMEM_MUST_FREE);
}

/* Where chunks end, the library takes more than the one proper form, and nothing of that can be
 * seen from here. So what follows a chunked body is never taken for a request. */
static bool is_chunked(const struct http_request *request)
{
    return http_request_header(request, "Transfer-Encoding") != NULL;
}

static struct MHD_Response *make_response(struct http_request *request,
                                          const struct http_response *response)
{
    struct MHD_Response *made = make_body(request, response);
    if (!made)
        return NULL;
    for (size_t i = 0; i < response->headers; i++)
        MHD_add_response_header(made, response->header_names[i], response->header_values[i]);
    if (response->close || is_chunked(request))
        MHD_add_response_header(made, "Connection", "close");
    return made;
}

/* May be called inside one of the handler's callbacks or at any other time: the library takes an
 * answer only inside its own callback, so it is kept until then. */
static void answer(struct http_request *request, const struct http_response *response)
{
    request->is_answered = true;
    request->status = response->status;
    request->answer = make_response(request, response);
    http_request_continue(request);
}

void http_request_respond(struct http_request *request, struct http_response *response)
{
    struct connection *connection = connection_of(request->mhd);
    loop_unwatch(connection->server->loop, &connection->hang_up);
    answer(request, response);
}

void http_request_stream(struct http_request *request, struct http_response *response,
                         const struct http_source *source)
{
    request->source = *source;
    answer(request, response);
}

void http_request_wake(struct http_request *request)
{
    if (request->source.read)
        http_request_continue(request);
}

/* Without an answer (memory is out) the connection ends. */
static enum MHD_Result queue_answer(struct http_request *request)
{
    if (!request->answer)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(request->mhd, request->status, request->answer);
    MHD_destroy_response(request->answer);
    request->answer = NULL;
    return result;
}

/* ---- requests ---- */

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_target(const struct http_request *request)
{
    return request->target;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

bool http_request_is_tls(const struct http_request *request)
{
    return connection_of(request->mhd)->server->is_tls;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 ==
               IN_LOOPBACKNET;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(six) ||
           (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

bool http_request_is_local(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && is_loopback(info->client_addr);
}

int64_t http_request_content_length(const struct http_request *request)
{
    if (is_chunked(request))
        return -1;
    const char *text = http_request_header(request, "Content-Length");
    uint64_t length = 0;
    return text && text_parse_u64(text, &length) ? (int64_t)length : 0;
}

void http_request_set_data(struct http_request *request, void *data)
{
    request->data = data;
}

void *http_request_data(const struct http_request *request)
{
    return request->data;
}

void http_request_hold(struct http_request *request)
{
    request->held = !request->is_answered;
}

void http_request_continue(struct http_request *request)
{
    request->held = false;
    if (request->is_suspended) {
        request->is_suspended = false;
        connection_of(request->mhd)->server->resumed = true;
        MHD_resume_connection(request->mhd);
    }
}

static void on_hang_up(void *self, uint32_t events)
{
    (void)events;
    struct connection *connection = self;
    struct http_server *server = connection->server;
    loop_unwatch(server->loop, &connection->hang_up);
    server->handler.on_hang_up(server->handler.self, &connection->request);
}

void http_request_watch_hang_up(struct http_request *request)
{
    struct connection *connection = connection_of(request->mhd);
    bool whole = request->is_answered && !request->source.read;
    if (!whole && !connection->hang_up.active)
        loop_watch(connection->server->loop, &connection->hang_up, connection->fd, EPOLLRDHUP,
                   on_hang_up, connection, NULL);
}

/* A walk through a head as the library left it in its buffer.
 *
 * The library takes a line feed alone for a line end, joins folded lines, skips blanks and ends
 * texts at a NUL, and says so nowhere. But it works in place: it overwrites each separator with
 * NULs and hands out pointers into the head. So what lies between two pointers shows what was sent
 * there; anything but the one proper form moves them. (Should another version of the library work
 * otherwise, every request is refused and the tests say so.) */
struct head_walk {
    struct http_guard guard;
    const char *at; /* the end of what has been seen */
    const char *end;
    bool is_exact;
};

enum { LINE_END = 2 }; /* bytes of CR LF */

static enum MHD_Result walk_header(void *self, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *value, size_t value_length)
{
    (void)kind;
    struct head_walk *walk = self;
    http_guard_add(&walk->guard, name, name_length, value ? value : "", value_length);
    if (!walk->is_exact || name != walk->at + LINE_END || !value || value < name ||
        value + value_length > walk->end) {
        walk->is_exact = false;
        return MHD_YES;
    }
    const char *gap = name + name_length + 1; /* behind the colon */
    while (gap < value && (*gap == ' ' || *gap == '\t'))
        gap++;
    walk->is_exact = gap == value;
    walk->at = value + value_length;
    return MHD_YES;
}

static struct head_walk walk_head(const struct http_request *request, const char *version)
{
    const char *target_end =
        request->method + strlen(request->method) + 1 + strlen(request->target);
    struct head_walk walk = {
        .at = version + strlen(version),
        .end = request->method +
               MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
                   ->header_size,
        .is_exact = version == target_end + 1,
    };
    MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, walk_header, &walk);
    if (walk.at + 2 * LINE_END != walk.end)
        walk.is_exact = false;
    return walk;
}

/* The library takes a short read for "nothing more now" and misses an end of the stream that had
 * come with those bytes: an abandoned upload would be held until the idle timeout. */
static bool client_has_ended(const struct connection *connection)
{
    char byte;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* The half that is shut once more makes the kernel tell the library again. */
static void repeat_hang_up(struct connection *connection)
{
    if (client_has_ended(connection))
        shutdown(connection->fd, SHUT_RD);
}

/* The head is complete. An answer that is known now waits for the end of the body, because a client
 * that is still sending would lose it when the connection closes; except where the client waits for
 * leave to send, and where the end of the body is in doubt. */
static enum MHD_Result begin(struct connection *connection, const char *version)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    struct head_walk walk = walk_head(request, version);
    enum http_refusal why = HTTP_REFUSED_FRAMING;
    const char *message = "the head is not made of lines that end in CR LF, one blank apart, "
                          "without NULs and folds";
    request->presented = true;
    if (!http_guard_accepts(&walk.guard, request->method, request->target, version, &why,
                            &message) ||
        !walk.is_exact) {
        server->handler.on_refused(server->handler.self, request, why, message);
        return queue_answer(request);
    }
    server->handler.on_head(server->handler.self, request);
    if (request->is_answered && http_request_header(request, "Expect"))
        return queue_answer(request);
    if (http_request_content_length(request) != 0)
        repeat_hang_up(connection);
    return MHD_YES;
}

/* A connection that is suspended and resumed has its socket looked at anew. */
static void look_for_hang_up(struct connection *connection)
{
    struct http_request *request = &connection->request;
    if (request->hung_up || !client_has_ended(connection))
        return;
    request->hung_up = true;
    suspend(request);
    http_request_continue(request);
}

static enum MHD_Result take_body(struct connection *connection, const char *data, size_t *length)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    if (request->held)
        return suspend(request); /* the piece comes again */
    if (request->is_answered) {
        request->drained_bytes += *length;
        *length = 0;
        repeat_hang_up(connection);
        return request->drained_bytes > HTTP_DRAIN_BYTES_MAX ? MHD_NO : MHD_YES;
    }
    server->handler.on_body(server->handler.self, request, data, *length);
    *length = 0;
    if (request->held)
        return suspend(request);
    look_for_hang_up(connection);
    return MHD_YES;
}

static enum MHD_Result end(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    if (!request->held && !request->is_answered && !request->ended) {
        request->ended = true;
        server->handler.on_end(server->handler.self, request);
    }
    return request->is_answered ? queue_answer(request) : suspend(request);
}

/* ---- the library's callbacks ---- */

/* Called when the request line is complete, before it is decoded. */
static void *on_target(void *self, const char *target, struct MHD_Connection *mhd)
{
    (void)self;
    struct connection *connection = connection_of(mhd);
    expect_head(connection, HTTP_HEAD_DEADLINE_MS);
    connection->request.target = xstrdup(target);
    return &connection->request;
}

/* Called when the head is complete, for each piece of the body, at its end, and again after each
 * resume: a length of 0 after the first call means the end of the body, because a request is never
 * suspended in its first call. */
static enum MHD_Result on_access(void *self, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *length, void **request_self)
{
    (void)self;
    (void)url;
    (void)request_self;
    struct connection *connection = connection_of(mhd);
    struct http_request *request = &connection->request;
    if (!request->begun) {
        loop_stop_timer(connection->server->loop, &connection->head_timer);
        request->begun = true;
        request->mhd = mhd;
        request->method = method;
        return begin(connection, version);
    }
    return *length > 0 ? take_body(connection, data, length) : end(connection);
}

static void finish_request(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    loop_unwatch(server->loop, &connection->hang_up);
    if (request->presented)
        server->handler.on_gone(server->handler.self, request);
    if (request->answer)
        MHD_destroy_response(request->answer);
    free(request->target);
    *request = (struct http_request){0};
}

static void on_completed(void *self, struct MHD_Connection *mhd, void **request_self,
                         enum MHD_RequestTerminationCode why)
{
    (void)self;
    (void)request_self;
    (void)why;
    struct connection *connection = connection_of(mhd);
    finish_request(connection);
    /* Bytes of a next head move the library's idle timeout, so that alone would not bound it. */
    expect_head(connection, connection->server->idle_timeout_ms + HTTP_HEAD_DEADLINE_MS);
}

static void open_connection(struct http_server *server, struct MHD_Connection *mhd, void **context)
{
    struct connection *connection = xcalloc(1, sizeof *connection);
    connection->server = server;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    server->connections = connection;
    server->count++;
    *context = connection;
    expect_head(connection, HTTP_HEAD_DEADLINE_MS);
}

static void close_connection(struct http_server *server, struct connection *connection)
{
    finish_request(connection);
    loop_stop_timer(server->loop, &connection->head_timer);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    server->count--;
    free(connection);
}

static void on_connection(void *self, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        open_connection(self, mhd, context);
    else
        close_connection(self, *context);
}

/* The path is decoded by http_target, from the raw target. */
static size_t leave_escaped(void *self, struct MHD_Connection *mhd, char *text)
{
    (void)self;
    (void)mhd;
    return strlen(text);
}

/* ---- the server ---- */

static void on_ready(void *self, uint32_t events)
{
    (void)events;
    MHD_run(((struct http_server *)self)->daemon);
}

/* The library's sockets are edge-triggered: work that is left over shows only as a timeout of 0. A
 * connection that was resumed from outside the library does not even show as that. */
static int on_prepare(void *self)
{
    struct http_server *server = self;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    bool has_timeout = MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES;
    if (server->resumed || (has_timeout && wait_ms == 0)) {
        server->resumed = false;
        MHD_run(server->daemon);
        has_timeout = MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES;
    }
    if (server->resumed)
        return 0;
    if (!has_timeout)
        return -1;
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

static const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static struct MHD_Daemon *start_daemon(struct http_server *server, int listen_fd,
                                       const struct http_server_options *options)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (server->is_tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, server, MHD_OPTION_ARRAY, server->is_tls ? tls : plain,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)options->idle_timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http_server *http_server_create(struct loop *loop, const struct http_server_options *options,
                                       const struct http_handler *handler, struct error *err)
{
    /* sendfile(2) has no flag to leave the signal out, and the library uses it only on this
     * promise. */
    signal(SIGPIPE, SIG_IGN);

    /* The library closes its listening socket; ours stays open. */
    AUTO_CLOSE int listen_fd = fcntl(options->listen_fd, F_DUPFD_CLOEXEC, 0);
    if (listen_fd < 0) {
        error_from_errno(err, "duplicate the listening socket");
        return NULL;
    }
    struct http_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->handler = *handler;
    server->idle_timeout_ms = (int64_t)options->idle_timeout_s * 1000;
    server->is_tls = options->certificate_pem && options->key_pem;
    server->daemon = start_daemon(server, listen_fd, options);
    if (!server->daemon) {
        if (server->is_tls)
            error_set(err, ERROR_INVALID,
                      "HTTPS cannot start with this certificate and key; do they "
                      "belong together?");
        else
            error_set(err, ERROR_SYSTEM, "the HTTP server cannot start");
        free(server);
        return NULL;
    }
    (void)TAKE_FD(listen_fd);
    int epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (loop_watch(loop, &server->watch, epoll_fd, EPOLLIN, on_ready, server, err) < 0) {
        http_server_destroy(server);
        return NULL;
    }
    loop_add_preparation(loop, &server->preparation, on_prepare, server);
    return server;
}

void http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    /* The library refuses to stop while a connection is suspended. */
    for (struct connection *c = server->connections; c; c = c->next)
        http_request_continue(&c->request);
    loop_unwatch(server->loop, &server->watch);
    loop_remove_preparation(server->loop, &server->preparation);
    MHD_stop_daemon(server->daemon);
    free(server);
}

void http_server_quiesce(struct http_server *server)
{
    int listen_fd = MHD_quiesce_daemon(server->daemon);
    close_fd(&listen_fd);
}

unsigned http_server_connections(const struct http_server *server)
{
    return server->count;
}
