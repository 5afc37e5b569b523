#include "base/http/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

#define HOST "Host: a\r\n"

/* Made for these tests; it guards nothing. */
static const char certificate_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBfzCCASWgAwIBAgIUZzv7Eq/6vZaex7rQw+PlSjSt/0gwCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDA3NTMyM1oYDzIxMjYxMDMx\n"
    "MDc1MzIzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAAS+14Xvf5RKe+cBkBExl9mWRZ7dqkFh4ow9+bESB6K36fn0C5wv+OBA\n"
    "FPTVqKwacI+NBpL0bbD3wQLm84nZ0R+io1MwUTAdBgNVHQ4EFgQUSZzDDsXNLRlj\n"
    "hZcNo1N/Ilr5euAwHwYDVR0jBBgwFoAUSZzDDsXNLRljhZcNo1N/Ilr5euAwDwYD\n"
    "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB8Nvz/pVdc9q48INWqluZU\n"
    "yV32QUvLhpSbNnhhhvg5PAIhAPvYOR9VL2JiwtWwNbzk21HbUYX1uLLBomadyCnu\n"
    "mIal\n"
    "-----END CERTIFICATE-----\n";
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8rLI8e2urDMf4PRm\n"
                              "HMa+yznVTcTsAWoLmhhfDBFDBCKhRANCAAS+14Xvf5RKe+cBkBExl9mWRZ7dqkFh\n"
                              "4ow9+bESB6K36fn0C5wv+OBAFPTVqKwacI+NBpL0bbD3wQLm84nZ0R+i\n"
                              "-----END PRIVATE KEY-----\n";

enum { ROUNDS_MAX = 20000, BODY_BYTES = 3000000 };

struct fixture {
    struct hand_clock clock;
    struct loop *loop;
    struct http_server *server;
    int listen_fd;
    int client_fd;
    struct buf received;
    bool closed; /* the server closed the connection */

    struct http_request *parked;
    size_t body_bytes;
    int heads, ends, gone, refusals, hang_ups;
    bool answer_at_head, hold_body, park;
    bool was_tls, only_count_hang_ups;

    /* a streamed answer */
    size_t available; /* bytes that it may give now */
    size_t produced;
    bool is_over;
    bool breaks_off;
};

static void answer(struct http_request *request, unsigned status, const char *text, bool close)
{
    struct http_response response = {
        .status = status, .body = xstrdup(text), .body_length = strlen(text), .close = close};
    http_response_add(&response, "X-Test", "yes");
    http_request_respond(request, &response);
}

/* A body whose bytes count up, so that a lost or doubled one shows. */
static char byte_at(size_t position)
{
    return (char)('a' + position % 23);
}

static ssize_t produce(void *self, char *data, size_t room)
{
    struct fixture *f = self;
    size_t length = f->available < room ? f->available : room;
    if (length == 0)
        return f->breaks_off ? HTTP_SOURCE_BREAK : f->is_over ? HTTP_SOURCE_END : 0;
    for (size_t i = 0; i < length; i++)
        data[i] = byte_at(f->produced + i);
    f->available -= length;
    f->produced += length;
    return (ssize_t)length;
}

static void begin_stream(struct fixture *f)
{
    struct http_response response = {.status = 200};
    struct http_source source = {produce, f};
    http_response_add(&response, "Content-Type", "text/event-stream");
    http_request_stream(f->parked, &response, &source);
}

static void on_head(void *self, struct http_request *request)
{
    struct fixture *f = self;
    f->heads++;
    if (f->answer_at_head)
        answer(request, 400, "early", false);
}

static void on_body(void *self, struct http_request *request, const char *data, size_t length)
{
    (void)data;
    struct fixture *f = self;
    f->body_bytes += length;
    if (f->hold_body) {
        f->parked = request;
        http_request_hold(request);
    }
}

static void on_end(void *self, struct http_request *request)
{
    struct fixture *f = self;
    f->ends++;
    f->was_tls = http_request_is_tls(request);
    if (f->park)
        f->parked = request;
    else
        answer(request, 200, http_request_target(request), false);
}

static void on_gone(void *self, struct http_request *request)
{
    (void)request;
    ((struct fixture *)self)->gone++;
}

static void on_hang_up(void *self, struct http_request *request)
{
    struct fixture *f = self;
    f->hang_ups++;
    if (!f->only_count_hang_ups)
        answer(request, 200, "nobody hears", false);
}

static void on_refused(void *self, struct http_request *request, enum http_refusal why,
                       const char *message)
{
    (void)message;
    ((struct fixture *)self)->refusals++;
    answer(request, why == HTTP_REFUSED_HEADERS ? 431 : 400, "refused", true);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct error err = {0};
    *state = f;
    f->client_fd = -1;
    f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(f->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(f->listen_fd, 8) < 0)
        return -1;
    f->loop = loop_create(clock_by_hand(&f->clock), &err);
    struct http_server_options options = {
        .listen_fd = f->listen_fd, .connections_max = 8, .idle_timeout_s = 60};
    struct http_handler handler = {f, on_head, on_body, on_end, on_gone, on_hang_up, on_refused};
    f->server = http_server_create(f->loop, &options, &handler, &err);
    return f->server ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_server_destroy(f->server);
    loop_destroy(f->loop);
    close_fd(&f->listen_fd);
    close_fd(&f->client_fd);
    buf_free(&f->received);
    free(f);
    return 0;
}

static void connect_client(struct fixture *f)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    close_fd(&f->client_fd);
    buf_clear(&f->received);
    f->closed = false;
    assert_int_equal(getsockname(f->listen_fd, (struct sockaddr *)&address, &length), 0);
    f->client_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(f->client_fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(fcntl(f->client_fd, F_SETFL, O_NONBLOCK), 0);
}

/* One turn of the loop; what the server sent is collected. */
static void turn(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
    char *end = buf_reserve(&f->received, 65536);
    ssize_t n = recv(f->client_fd, end, 65536, 0);
    if (n > 0) {
        f->received.length += (size_t)n;
        f->received.data[f->received.length] = '\0';
    }
    f->closed = f->closed || n == 0 || (n < 0 && errno != EAGAIN);
}

static bool has_received(const struct fixture *f, const char *text)
{
    return f->received.length > 0 && strstr(f->received.data, text);
}

static void expect(struct fixture *f, const char *text)
{
    for (int i = 0; i < ROUNDS_MAX && !has_received(f, text) && !f->closed; i++)
        turn(f);
    if (!has_received(f, text))
        fail_msg("no %s in %s", text, f->received.data);
}

static void expect_close(struct fixture *f)
{
    for (int i = 0; i < ROUNDS_MAX && !f->closed; i++)
        turn(f);
    assert_true(f->closed);
}

static void send_bytes(struct fixture *f, const char *data, size_t length)
{
    for (int i = 0; i < ROUNDS_MAX && length > 0 && !f->closed; i++) {
        ssize_t n = send(f->client_fd, data, length, MSG_NOSIGNAL);
        data += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
        turn(f);
    }
}

static void send_text(struct fixture *f, const char *text)
{
    send_bytes(f, text, strlen(text));
}

static void requests_follow_each_other_on_one_connection(void **state)
{
    struct fixture *f = *state;
    connect_client(f);
    send_text(f, "GET /a%20b?c=+ HTTP/1.1\r\n" HOST "\r\nDELETE /second HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "/second");
    assert_true(has_received(f, "\r\nX-Test: yes\r\n"));
    assert_true(has_received(f, "/a%20b?c=+"));
    assert_int_equal(f->ends, 2);
    assert_false(f->closed);
    assert_int_equal(http_server_connections(f->server), 1);
}

static void a_body_of_known_length_arrives_whole(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *body = xcalloc(BODY_BYTES, 1);
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 3000000\r\n\r\n");
    send_bytes(f, body, BODY_BYTES);
    expect(f, "/up");
    assert_int_equal(f->body_bytes, BODY_BYTES);
}

static void a_chunked_body_arrives_whole(void **state)
{
    struct fixture *f = *state;
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    send_text(f, "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n");
    expect(f, "/up");
    assert_int_equal(f->body_bytes, 6);
}

static void nothing_behind_a_chunked_body_is_served(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {
        "5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5;a\nhello\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        connect_client(f);
        f->ends = 0;
        send_text(f, "POST /up HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        send_text(f, bodies[i]);
        send_text(f, "GET /behind HTTP/1.1\r\n" HOST "\r\n");
        expect_close(f);
        assert_true(has_received(f, "Connection: close"));
        assert_int_equal(f->ends, 1);
    }
}

static void a_client_that_waits_for_leave_gets_it(void **state)
{
    struct fixture *f = *state;
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(f, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(f, "ab");
    expect(f, "200 OK");
    assert_int_equal(f->body_bytes, 2);
}

static void a_client_that_waits_for_leave_gets_an_early_answer_instead(void **state)
{
    struct fixture *f = *state;
    f->answer_at_head = true;
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(f, "early");
    assert_false(has_received(f, "100 Continue"));
}

static void an_early_answer_waits_for_the_end_of_the_body(void **state)
{
    struct fixture *f = *state;
    f->answer_at_head = true;
    AUTO_FREE char *body = xcalloc(BODY_BYTES, 1);
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 3000000\r\n\r\n");
    send_bytes(f, body, BODY_BYTES - 1);
    assert_false(has_received(f, "early"));
    send_bytes(f, body, 1);
    expect(f, "early");
    assert_int_equal(f->body_bytes, 0);
    assert_int_equal(f->ends, 0);
    assert_false(f->closed);
}

static void a_held_body_stops_and_goes_on(void **state)
{
    struct fixture *f = *state;
    f->hold_body = true;
    connect_client(f);
    send_text(f, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    assert_int_equal(f->body_bytes, 3);
    send_text(f, "def");
    assert_int_equal(f->body_bytes, 3);
    f->hold_body = false;
    http_request_continue(f->parked);
    expect(f, "/up");
    assert_int_equal(f->body_bytes, 6);
}

static void a_parked_request_is_answered_later(void **state)
{
    struct fixture *f = *state;
    f->park = true;
    connect_client(f);
    send_text(f, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    f->clock.time_ms += 3600000; /* a deadline for heads is none for answers */
    turn(f);
    assert_false(f->closed);
    answer(f->parked, 202, "at last", false);
    expect(f, "at last");
    for (int i = 0; i < ROUNDS_MAX && f->gone == 0; i++)
        turn(f);
    assert_int_equal(f->ends, 1);
    assert_int_equal(f->gone, 1);
}

static void a_parked_request_ends_with_the_server(void **state)
{
    struct fixture *f = *state;
    f->park = true;
    connect_client(f);
    send_text(f, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    http_server_destroy(f->server);
    f->server = NULL;
    assert_int_equal(f->gone, 1);
}

static void a_hang_up_of_a_watched_request_is_noticed(void **state)
{
    struct fixture *f = *state;
    f->park = true;
    connect_client(f);
    send_text(f, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    http_request_watch_hang_up(f->parked);
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->hang_ups, 0);
    shutdown(f->client_fd, SHUT_RDWR);
    for (int i = 0; i < ROUNDS_MAX && f->gone == 0; i++)
        turn(f);
    assert_int_equal(f->hang_ups, 1);
    assert_int_equal(f->gone, 1);
}

/* Its end of the stream comes with the head, or with the first bytes of the body. */
static void a_client_that_leaves_before_its_body_holds_no_connection(void **state)
{
    struct fixture *f = *state;
    static const char head[] = "POST /up HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n";
    for (int i = 0; i < 4; i++) {
        f->answer_at_head = i >= 2;
        f->gone = 0;
        connect_client(f);
        AUTO_FREE char *text = xasprintf("%s%s", head, i % 2 ? "abc" : "");
        assert_int_equal(write(f->client_fd, text, strlen(text)), strlen(text));
        close_fd(&f->client_fd);
        for (int round = 0; round < ROUNDS_MAX && f->gone == 0; round++)
            turn(f);
        assert_int_equal(f->gone, 1);
        assert_int_equal(f->ends, 0);
        for (int round = 0; round < ROUNDS_MAX && http_server_connections(f->server); round++)
            turn(f);
        assert_int_equal(http_server_connections(f->server), 0);
    }
}

/* ---- streamed answers ---- */

static void open_stream(struct fixture *f, const char *request)
{
    f->park = true;
    f->parked = NULL;
    connect_client(f);
    send_text(f, request);
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    begin_stream(f);
}

/* Counts the bytes of the chunks behind the head, which must be those that were produced, and says
 * whether the last chunk was there. */
static bool read_chunks(const struct fixture *f, size_t *ret_length)
{
    const char *at = f->received.data ? strstr(f->received.data, "\r\n\r\n") : NULL;
    const char *end = f->received.data + f->received.length;
    *ret_length = 0;
    for (at = at ? at + 4 : NULL; at;) {
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
        size_t size = strtoul(at, NULL, 16);
        if (!line_end || (size_t)(end - line_end) < size + 4)
            return false;
        for (size_t i = 0; i < size; i++)
            assert_int_equal(line_end[2 + i], byte_at(*ret_length + i));
        *ret_length += size;
        if (size == 0)
            return true;
        at = line_end + 2 + size + 2;
    }
    return false;
}

static void expect_chunks(struct fixture *f, size_t length, bool last)
{
    size_t seen = 0;
    bool ended = false;
    for (int i = 0; i < ROUNDS_MAX && !f->closed && (seen < length || ended != last); i++) {
        turn(f);
        ended = read_chunks(f, &seen);
    }
    assert_int_equal(seen, length);
    assert_int_equal(ended, last);
}

static void a_streamed_answer_comes_as_it_is_produced(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "text/event-stream");
    assert_true(has_received(f, "Transfer-Encoding: chunked"));
    for (int i = 1; i <= 500; i++) {
        f->available = 10;
        http_request_wake(f->parked);
        http_request_wake(f->parked); /* once too often does no harm */
        expect_chunks(f, (size_t)i * 10, false);
    }
    f->clock.time_ms += 3600000;
    turn(f);
    assert_false(f->closed);
    f->is_over = true;
    http_request_wake(f->parked);
    expect_chunks(f, 5000, true);
    assert_int_equal(f->gone, 1);
    f->park = false;
    send_text(f, "GET /next HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "/next");
}

static void a_streamed_answer_that_breaks_off_does_not_look_complete(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    f->available = 10;
    f->breaks_off = true;
    http_request_wake(f->parked);
    expect_close(f);
    assert_true(has_received(f, "abcdefghij"));
    assert_false(has_received(f, "0\r\n\r\n"));
    assert_int_equal(f->gone, 1);
}

static void a_slow_reader_holds_the_source_and_gets_everything(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    f->available = 64 * BODY_BYTES;
    f->is_over = true;
    http_request_wake(f->parked);
    size_t before;
    do { /* without reading */
        before = f->produced;
        for (int i = 0; i < 20; i++)
            assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
    } while (f->produced > before);
    assert_true(f->produced < 64 * BODY_BYTES);
    f->available = 1000;
    size_t all = f->produced + 1000;
    for (int i = 0; i < ROUNDS_MAX && f->gone == 0; i++)
        turn(f);
    expect_chunks(f, all, true);
}

static void a_reader_that_vanishes_ends_its_stream(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "text/event-stream");
    close_fd(&f->client_fd);
    struct error err = {0};
    for (int i = 0; i < ROUNDS_MAX && f->gone == 0; i++) {
        f->available = 1;
        http_request_wake(f->parked);
        assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
    }
    assert_int_equal(f->gone, 1);
    assert_int_equal(http_server_connections(f->server), 0);
}

static void a_stalled_reader_that_vanishes_ends_its_stream(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    f->available = 64 * BODY_BYTES;
    http_request_wake(f->parked);
    struct error err = {0};
    for (int i = 0; i < 50; i++)
        assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
    close_fd(&f->client_fd);
    for (int i = 0; i < ROUNDS_MAX && f->gone == 0; i++)
        assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
    assert_int_equal(f->gone, 1);
}

static void a_hang_up_during_a_stream_is_noticed(void **state)
{
    struct fixture *f = *state;
    f->only_count_hang_ups = true;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    http_request_watch_hang_up(f->parked);
    expect(f, "text/event-stream");
    assert_int_equal(f->hang_ups, 0);
    shutdown(f->client_fd, SHUT_WR);
    for (int i = 0; i < ROUNDS_MAX && f->hang_ups == 0; i++)
        turn(f);
    assert_int_equal(f->hang_ups, 1);
    f->available = 7;
    f->is_over = true;
    http_request_wake(f->parked);
    expect_chunks(f, 7, true); /* who closes its own side only still reads */
}

static void a_stream_to_an_old_client_ends_with_the_connection(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.0\r\n\r\n");
    f->available = 3;
    http_request_wake(f->parked);
    expect(f, "\r\n\r\nabc");
    f->is_over = true;
    http_request_wake(f->parked);
    expect_close(f);
    assert_false(has_received(f, "chunked"));
}

static void a_stream_ends_with_the_server(void **state)
{
    struct fixture *f = *state;
    open_stream(f, "GET /s HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "text/event-stream");
    http_server_destroy(f->server);
    f->server = NULL;
    assert_int_equal(f->gone, 1);
}

/* Answers a request with a file of this text. */
static void answer_with_file(struct fixture *f, const char *text, uint64_t promised_bytes)
{
    f->park = true;
    char path[] = "/tmp/sandpool-test-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    connect_client(f);
    send_text(f, "GET /file HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn(f);
    struct http_response response = {
        .status = 200, .has_file = true, .file_fd = fd, .file_length = promised_bytes};
    http_request_respond(f->parked, &response);
}

static void a_file_is_sent_from_its_start(void **state)
{
    struct fixture *f = *state;
    answer_with_file(f, "0123456789", 8);
    expect(f, "\r\n\r\n01234567");
    assert_true(has_received(f, "Content-Length: 8"));
}

static void an_empty_file_is_sent(void **state)
{
    struct fixture *f = *state;
    answer_with_file(f, "", 0);
    expect(f, "Content-Length: 0\r\n");
    assert_false(f->closed);
}

/* A program may shorten it while it is sent. */
static void a_file_that_is_shorter_than_promised_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    answer_with_file(f, "0123", 8);
    expect(f, "\r\n\r\n0123");
    expect_close(f);
}

static void a_head_that_is_late_is_answered_with_408(void **state)
{
    struct fixture *f = *state;
    connect_client(f);
    send_text(f, "GET / HTTP/1.1\r\nHo");
    for (int i = 0; i < ROUNDS_MAX && http_server_connections(f->server) == 0; i++)
        turn(f);
    f->clock.time_ms += HTTP_HEAD_DEADLINE_MS - 1;
    turn(f);
    assert_false(f->closed);
    f->clock.time_ms += 1;
    expect(f, "408 Request Timeout");
    expect_close(f);
    for (int i = 0; i < ROUNDS_MAX && http_server_connections(f->server) > 0; i++)
        turn(f);
    assert_int_equal(http_server_connections(f->server), 0);
    assert_int_equal(f->heads, 0);
}

/* Sent byte by byte as they stand here. Those marked with NULL are answered by the library itself,
 * before we see them; what matters is that they are refused and that nothing behind them is served.
 */
static const struct {
    const char *what;
    const char *bytes;
    size_t length;
} hostile[] = {
#define CASE(what, bytes)                                                                          \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1                                                             \
    }
    CASE("a length and chunks", "POST / HTTP/1.1\r\n" HOST
                                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE("two lengths",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    CASE("two lengths of a GET",
         "GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    CASE("a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nabcde"),
    CASE("a hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nabcde"),
    CASE("a list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nabcde"),
    CASE("a negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\nabcde"),
    CASE("an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nabcde"),
    CASE("a length beyond 64 bits",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\nabcde"),
    CASE("a length with a NUL", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\0x\r\n\r\nabc"),
    CASE("gzip, chunked",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    CASE("an unknown encoding",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    CASE("a folded encoding",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    CASE("chunks in HTTP/1.0",
         "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE("a folded header", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"),
    CASE("a folded first header", "GET / HTTP/1.1\r\n A: b\r\n" HOST "\r\n"),
    CASE("line feeds only", "GET / HTTP/1.1\nHost: a\n\n"),
    CASE("a line feed only after a header", "GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n"),
    CASE("a line feed only at the end", "GET / HTTP/1.1\r\n" HOST "\n"),
    CASE("a line feed only after the request line", "GET / HTTP/1.1\n" HOST "\r\n"),
    CASE("a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rA: b\r\n\r\n"),
    CASE("a blank before the colon", "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc"),
    CASE("a header without a colon", "GET / HTTP/1.1\r\n" HOST "Abc\r\n\r\n"),
    CASE("a header without a name", "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"),
    CASE("a NUL in a value", "GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"),
    CASE("a NUL in a name", "GET / HTTP/1.1\r\n" HOST "A\0b: c\r\n\r\n"),
    CASE("a NUL in the target", "GET /a\0b HTTP/1.1\r\n" HOST "\r\n"),
    CASE("a blank in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    CASE("two blanks", "GET  /a HTTP/1.1\r\n" HOST "\r\n"),
    CASE("no host", "GET / HTTP/1.1\r\n\r\n"),
    CASE("two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
    CASE("HTTP/0.9", "GET /\r\n"),
    CASE("HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n"),
    CASE("HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n"),
    CASE("an unknown method", "FROB / HTTP/1.1\r\n" HOST "\r\n"),
    CASE("a chunk's size that is none",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
    CASE("a chunk's size beyond 64 bits",
         "POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    CASE("a chunk longer than its size",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n"),
#undef CASE
};

static void hostile_requests_are_refused_and_nothing_behind_them_is_served(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        connect_client(f);
        f->ends = 0;
        send_bytes(f, hostile[i].bytes, hostile[i].length);
        send_text(f, "GET /smuggled HTTP/1.1\r\n" HOST "\r\n");
        for (int round = 0; round < ROUNDS_MAX && !f->closed && f->ends == 0; round++)
            turn(f);
        if (!f->closed || f->ends > 0)
            fail_msg("accepted: %s", hostile[i].what);
    }
}

static void headers_beyond_the_limits_are_refused(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF struct buf head = {0};
    buf_append_text(&head, "GET /many HTTP/1.1\r\n" HOST);
    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        buf_append_text(&head, "A: b\r\n");
    AUTO_BUF struct buf good = {0};
    buf_printf(&good, "%s\r\n", head.data);
    connect_client(f);
    send_bytes(f, good.data, good.length);
    expect(f, "200 OK");

    buf_append_text(&head, "A: b\r\n\r\n");
    connect_client(f);
    send_bytes(f, head.data, head.length);
    expect(f, "431");
    expect_close(f);
    assert_int_equal(f->refusals, 1);
}

/* The largest head in every respect at once, then one byte more of target. */
static void the_largest_head_fits(void **state)
{
    struct fixture *f = *state;
    for (int more = 0; more <= 1; more++) {
        AUTO_BUF struct buf head = {0};
        buf_append_text(&head, "GET /");
        for (int i = 1; i < HTTP_TARGET_BYTES_MAX + more; i++)
            buf_append_text(&head, "t");
        buf_append_text(&head, " HTTP/1.1\r\n" HOST);
        for (int i = 2; i < HTTP_HEADERS_MAX; i++)
            buf_append_text(&head, "A: b\r\n");
        buf_append_text(&head, "B: ");
        int used = 9 + (HTTP_HEADERS_MAX - 2) * 6 + 5;
        for (int i = used; i < HTTP_HEADER_BYTES_MAX; i++)
            buf_append_text(&head, "v");
        buf_append_text(&head, "\r\n\r\n");
        connect_client(f);
        send_bytes(f, head.data, head.length);
        expect(f, more ? "400" : "200 OK");
    }
}

static void a_quiet_server_takes_no_new_connections(void **state)
{
    struct fixture *f = *state;
    connect_client(f);
    send_text(f, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "200 OK");
    http_server_quiesce(f->server);
    send_text(f, "GET /b HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "/b");
    connect_client(f); /* into the backlog of the socket, which is ours */
    send_text(f, "GET /c HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->ends, 2);
}

/* A second server beside the fixture's, in the same loop. */
struct tls_fixture {
    struct fixture *plain;
    struct http_server *server;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    int client_fd;
};

static int listen_on(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
    return fd;
}

static struct tls_fixture open_tls(struct fixture *f, const char *priorities)
{
    struct tls_fixture tls = {.plain = f};
    struct sockaddr_in address;
    struct error err = {0};
    AUTO_CLOSE int listen_fd = listen_on(&address);
    struct http_server_options options = {.listen_fd = listen_fd,
                                          .connections_max = 8,
                                          .idle_timeout_s = 60,
                                          .certificate_pem = certificate_pem,
                                          .key_pem = key_pem};
    struct http_handler handler = {f, on_head, on_body, on_end, on_gone, on_hang_up, on_refused};
    tls.server = http_server_create(f->loop, &options, &handler, &err);
    assert_non_null(tls.server);
    tls.client_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(tls.client_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(tls.client_fd, F_SETFL, O_NONBLOCK), 0);
    gnutls_certificate_allocate_credentials(&tls.credentials);
    gnutls_init(&tls.session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_priority_set_direct(tls.session, priorities, NULL);
    gnutls_credentials_set(tls.session, GNUTLS_CRD_CERTIFICATE, tls.credentials);
    gnutls_transport_set_int(tls.session, tls.client_fd);
    return tls;
}

static void close_tls(struct tls_fixture *tls)
{
    gnutls_deinit(tls->session);
    gnutls_certificate_free_credentials(tls->credentials);
    close_fd(&tls->client_fd);
    http_server_destroy(tls->server);
}

static void turn_loop(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(loop_run_once(f->loop, 1, &err), 0);
}

static int shake_hands(struct tls_fixture *tls)
{
    int result = GNUTLS_E_AGAIN;
    for (int i = 0; i < ROUNDS_MAX && result < 0 && !gnutls_error_is_fatal(result); i++) {
        turn_loop(tls->plain);
        result = gnutls_handshake(tls->session);
    }
    return result;
}

static void tls_and_plain_are_served_in_one_loop(void **state)
{
    struct fixture *f = *state;
    struct tls_fixture tls = open_tls(f, "NORMAL");
    static const char request[] = "GET /secret HTTP/1.1\r\n" HOST "\r\n";
    char answer[4096] = "";
    assert_int_equal(shake_hands(&tls), GNUTLS_E_SUCCESS);
    assert_int_equal(gnutls_record_send(tls.session, request, sizeof request - 1),
                     sizeof request - 1);
    ssize_t n = -1;
    for (int i = 0; i < ROUNDS_MAX && n <= 0; i++) {
        turn_loop(f);
        n = gnutls_record_recv(tls.session, answer, sizeof answer - 1);
    }
    assert_non_null(strstr(answer, "200 OK"));
    assert_true(f->was_tls);

    connect_client(f);
    send_text(f, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "/plain");
    assert_false(f->was_tls);
    close_tls(&tls);
    send_text(f, "GET /after HTTP/1.1\r\n" HOST "\r\n");
    expect(f, "/after");
}

static void a_streamed_answer_comes_by_tls(void **state)
{
    struct fixture *f = *state;
    struct tls_fixture tls = open_tls(f, "NORMAL");
    static const char request[] = "GET /s HTTP/1.1\r\n" HOST "\r\n";
    assert_int_equal(shake_hands(&tls), GNUTLS_E_SUCCESS);
    gnutls_record_send(tls.session, request, sizeof request - 1);
    f->park = true;
    for (int i = 0; i < ROUNDS_MAX && !f->parked; i++)
        turn_loop(f);
    begin_stream(f);
    size_t seen = 0;
    bool ended = false;
    for (int i = 0; i < ROUNDS_MAX && !ended; i++) {
        size_t produced = f->produced;
        f->available = produced < 1000 ? 100 : 0;
        f->is_over = produced >= 1000;
        http_request_wake(f->parked);
        for (int j = 0; j < 100 && f->produced == produced && f->gone == 0; j++)
            turn_loop(f);
        ssize_t n;
        while ((n = gnutls_record_recv(tls.session, buf_reserve(&f->received, 65536), 65536)) > 0)
            f->received.length += (size_t)n;
        f->received.data[f->received.length] = '\0';
        ended = read_chunks(f, &seen);
    }
    assert_true(ended);
    assert_int_equal(seen, 1000);
    close_tls(&tls);
}

static void tls_before_1_2_is_refused(void **state)
{
    struct tls_fixture tls = open_tls(*state, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT");
    assert_true(gnutls_error_is_fatal(shake_hands(&tls)));
    close_tls(&tls);
}

static void a_late_head_gets_no_clear_text_into_tls(void **state)
{
    struct fixture *f = *state;
    struct tls_fixture tls = open_tls(f, "NORMAL");
    char bytes[64];
    for (int i = 0; i < ROUNDS_MAX && http_server_connections(tls.server) == 0; i++)
        turn_loop(f);
    f->clock.time_ms += HTTP_HEAD_DEADLINE_MS;
    ssize_t n = -1;
    for (int i = 0; i < ROUNDS_MAX && n < 0; i++) {
        turn_loop(f);
        n = recv(tls.client_fd, bytes, sizeof bytes, 0);
    }
    assert_int_equal(n, 0);
    close_tls(&tls);
}

static void a_certificate_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct http_server_options options = {.listen_fd = f->listen_fd,
                                          .connections_max = 8,
                                          .idle_timeout_s = 60,
                                          .certificate_pem = "none",
                                          .key_pem = key_pem};
    struct http_handler handler = {f, on_head, on_body, on_end, on_gone, on_hang_up, on_refused};
    assert_null(http_server_create(f->loop, &options, &handler, &err));
    assert_error(err, ERROR_INVALID, "certificate");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(requests_follow_each_other_on_one_connection),
        TEST(a_body_of_known_length_arrives_whole),
        TEST(a_chunked_body_arrives_whole),
        TEST(nothing_behind_a_chunked_body_is_served),
        TEST(a_client_that_waits_for_leave_gets_it),
        TEST(a_client_that_waits_for_leave_gets_an_early_answer_instead),
        TEST(an_early_answer_waits_for_the_end_of_the_body),
        TEST(a_held_body_stops_and_goes_on),
        TEST(a_parked_request_is_answered_later),
        TEST(a_parked_request_ends_with_the_server),
        TEST(a_hang_up_of_a_watched_request_is_noticed),
        TEST(a_client_that_leaves_before_its_body_holds_no_connection),
        TEST(a_streamed_answer_comes_as_it_is_produced),
        TEST(a_streamed_answer_that_breaks_off_does_not_look_complete),
        TEST(a_slow_reader_holds_the_source_and_gets_everything),
        TEST(a_reader_that_vanishes_ends_its_stream),
        TEST(a_stalled_reader_that_vanishes_ends_its_stream),
        TEST(a_hang_up_during_a_stream_is_noticed),
        TEST(a_stream_to_an_old_client_ends_with_the_connection),
        TEST(a_stream_ends_with_the_server),
        TEST(a_file_is_sent_from_its_start),
        TEST(an_empty_file_is_sent),
        TEST(a_file_that_is_shorter_than_promised_ends_the_connection),
        TEST(a_head_that_is_late_is_answered_with_408),
        TEST(hostile_requests_are_refused_and_nothing_behind_them_is_served),
        TEST(headers_beyond_the_limits_are_refused),
        TEST(the_largest_head_fits),
        TEST(a_quiet_server_takes_no_new_connections),
        TEST(tls_and_plain_are_served_in_one_loop),
        TEST(a_streamed_answer_comes_by_tls),
        TEST(tls_before_1_2_is_refused),
        TEST(a_late_head_gets_no_clear_text_into_tls),
        TEST(a_certificate_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
