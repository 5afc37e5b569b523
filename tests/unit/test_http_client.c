#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/http/http_client.h"
#include "tests/agent/loopback_server.h"
#include "tests/support/unit.h"

enum { DEADLINE_MS = 20000 };

/* One client, and what its exchange has brought so far. */
struct fixture {
    struct loop *loop;
    struct http_client *client;
    struct loopback_server *server;
    char url[128];

    bool done;
    unsigned heads;
    unsigned status;
    char location[128];
    struct buf body;
    struct error failure;
    struct error refuse_data; /* what on_data answers, when it has a code */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_create(clock_system(), NULL);
    f->client = http_client_create(f->loop, "test/1", NULL);
    *state = f;
    return f->loop && f->client ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_client_destroy(f->client);
    loop_destroy(f->loop);
    loopback_server_destroy(f->server);
    buf_free(&f->body);
    free(f);
    return 0;
}

static int on_head(void *self, struct http_exchange *exchange, struct error *err)
{
    (void)err;
    struct fixture *f = self;
    f->heads++;
    f->status = http_exchange_status(exchange);
    const char *location = http_exchange_header(exchange, "location");
    snprintf(f->location, sizeof f->location, "%s", location ? location : "");
    return 0;
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    (void)exchange;
    struct fixture *f = self;
    if (f->refuse_data.code != ERROR_NONE) {
        *err = f->refuse_data;
        return -1;
    }
    buf_append(&f->body, data, length);
    return 0;
}

static void on_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    (void)exchange;
    struct fixture *f = self;
    f->done = true;
    if (failure)
        f->failure = *failure;
}

static void answer_with(struct fixture *f, const struct loopback_answer *answers, size_t count)
{
    f->server = loopback_server_start(answers, count);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/here?a=b",
             loopback_server_port(f->server));
}

static struct http_exchange_options plain(struct fixture *f)
{
    return (struct http_exchange_options){.method = "GET",
                                          .url = f->url,
                                          .answer_bytes_max = 1024,
                                          .connect_timeout_ms = 5000,
                                          .total_timeout_ms = 10000};
}

static struct http_exchange *start(struct fixture *f, const struct http_exchange_options *options)
{
    struct http_exchange_handler handler = {f, on_head, on_data, on_done};
    struct http_exchange *exchange = NULL;
    struct error err = {0};
    if (http_client_start(f->client, options, &handler, &exchange, &err) < 0)
        fail_msg("%s", err.message);
    return exchange;
}

static void wait_until_done(struct fixture *f)
{
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (!f->done && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 1000, NULL);
    assert_true(f->done);
}

static const char *sent(struct fixture *f)
{
    loopback_server_stop(f->server);
    return loopback_server_request(f->server, 0, NULL);
}

static int file_with(const char *data, size_t length)
{
    int fd = memfd_create("upload", MFD_CLOEXEC);
    assert_int_equal(write(fd, data, length), length);
    return fd;
}

static void an_answer_arrives_with_status_headers_and_body(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {
        .bytes = "HTTP/1.1 404 Not Found\r\nLocation: x\r\nContent-Length: 5\r\n\r\nhello"};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_NONE);
    assert_int_equal(f->heads, 1);
    assert_int_equal(f->status, 404);
    assert_string_equal(f->location, "x");
    assert_string_equal(f->body.data, "hello");
    assert_non_null(strstr(sent(f), "GET /here?a=b HTTP/1.1\r\n"));
    assert_non_null(strstr(sent(f), "User-Agent: test/1\r\n"));
}

static void an_interim_answer_is_not_the_answer(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {
        .bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->heads, 1);
    assert_int_equal(f->status, 200);
}

static void a_body_and_headers_are_sent_as_given(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 204 No Content\r\n\r\n"};
    answer_with(f, &answer, 1);
    const char *headers[] = {"Content-Type: application/json", "Authorization: Bearer t", NULL};
    struct http_exchange_options options = plain(f);
    options.method = "POST";
    options.headers = headers;
    options.body = "{\"a\":1}\0tail";
    options.body_length = 12;

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_NONE);
    assert_int_equal(f->status, 204);
    const char *request = sent(f);
    assert_non_null(strstr(request, "POST /here"));
    assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(request, "Authorization: Bearer t\r\n"));
    assert_memory_equal(strstr(request, "\r\n\r\n") + 4, "{\"a\":1}\0tail", 12);
}

static void an_upload_streams_from_its_descriptor(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    answer_with(f, &answer, 1);
    size_t length = 3 * 1024 * 1024 + 17; /* more than every buffer on the way */
    AUTO_FREE char *data = malloc(length);
    memset(data, 'q', length);
    AUTO_CLOSE int fd = file_with(data, length);
    struct http_upload upload = {"file", "a \"b\".bin", "application/octet-stream", fd, length};
    struct http_exchange_options options = plain(f);
    options.method = "POST";
    options.upload = &upload;

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_NONE);
    const char *request = sent(f);
    assert_non_null(strstr(request, "Content-Type: multipart/form-data; boundary="));
    const char *part = strstr(request, "name=\"file\"; filename=\"a %22b%22.bin\"\r\n");
    assert_non_null(part);
    const char *body = strstr(part, "\r\n\r\n") + 4;
    assert_memory_equal(body, data, length);
    assert_memory_equal(body + length, "\r\n--", 4);
}

static void a_file_that_shrinks_while_sent_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    answer_with(f, &answer, 1);
    AUTO_CLOSE int fd = file_with("123", 3);
    struct http_upload upload = {"file", "a", "text/plain", fd, 10};
    struct http_exchange_options options = plain(f);
    options.method = "POST";
    options.upload = &upload;

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_CONFLICT);
}

static void a_refused_connection_is_an_error(void **state)
{
    struct fixture *f = *state;
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/", loopback_unused_port());
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_SYSTEM);
    assert_int_equal(f->heads, 0);
}

static void a_body_that_ends_early_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes =
                                         "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_SYSTEM);
    assert_non_null(strstr(f->failure.message, "ended early"));
}

static void a_chunked_body_that_ends_early_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {
        .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_SYSTEM);
}

static void a_redirect_is_reported_and_not_followed(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[] = {
        {.bytes = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    };
    answer_with(f, answers, 2);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->status, 302);
    assert_string_equal(f->location, "/elsewhere");
    loopback_server_stop(f->server);
    assert_int_equal(loopback_server_requests(f->server), 1);
}

static void an_answer_of_the_limit_passes_and_one_byte_more_does_not(void **state)
{
    static const struct {
        const char *head;
        size_t bytes;
        bool passes;
        unsigned heads; /* seen: none where the head itself says that it is too much */
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n", 1024, true, 1},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n", 1025, false, 0},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 1024, true, 1},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 1025, false, 1},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loopback_answer answer = {.bytes = cases[i].head, .repeat_body = cases[i].bytes};
        answer_with(f, &answer, 1);
        struct http_exchange_options options = plain(f);
        f->done = false;
        f->heads = 0;
        f->failure = (struct error){0};

        start(f, &options);
        wait_until_done(f);

        assert_int_equal(f->failure.code, cases[i].passes ? ERROR_NONE : ERROR_LIMIT);
        assert_int_equal(f->heads, cases[i].heads);
        loopback_server_destroy(f->server);
        f->server = NULL;
    }
}

static void a_late_answer_is_a_time_out(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\n", .hangs = true};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);
    options.total_timeout_ms = 200;

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_TIMEOUT);
}

static void a_stalled_answer_is_a_time_out(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
                                     .hangs = true};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);
    options.total_timeout_ms = 0;
    options.stall_timeout_ms = 1000;

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_TIMEOUT);
}

static void the_handler_s_own_error_ends_the_exchange(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);
    error_set(&f->refuse_data, ERROR_CONFLICT, "disk is full");

    start(f, &options);
    wait_until_done(f);

    assert_int_equal(f->failure.code, ERROR_CONFLICT);
    assert_string_equal(f->failure.message, "disk is full");
}

static int ignore_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                       struct error *err)
{
    (void)self, (void)exchange, (void)data, (void)length, (void)err;
    return 0;
}

/* Starts one exchange after the other, each from the end of the one before. */
struct chain {
    struct fixture *f;
    unsigned to_start;
    unsigned under_way;
    unsigned succeeded;
};

static void on_link_done(void *self, struct http_exchange *exchange, const struct error *failure);

static void start_link(struct chain *chain)
{
    struct http_exchange_handler handler = {
        .self = chain, .on_data = ignore_data, .on_done = on_link_done};
    struct http_exchange_options options = plain(chain->f);
    struct http_exchange *exchange;
    chain->to_start--;
    chain->under_way++;
    assert_int_equal(http_client_start(chain->f->client, &options, &handler, &exchange, NULL), 0);
}

static void on_link_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct chain *chain = self;
    chain->succeeded += !failure && http_exchange_status(exchange) == 200;
    chain->under_way--;
    if (chain->to_start > 0)
        start_link(chain);
    chain->f->done = chain->under_way == 0;
}

static void exchanges_run_side_by_side_and_start_from_each_other_s_end(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[6];
    for (size_t i = 0; i < COUNT(answers); i++)
        answers[i] =
            (struct loopback_answer){.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    answer_with(f, answers, COUNT(answers));
    struct chain chain = {.f = f, .to_start = COUNT(answers)};

    start_link(&chain);
    start_link(&chain);
    wait_until_done(f);

    assert_int_equal(chain.succeeded, COUNT(answers));
}

static void a_cancelled_exchange_never_reports(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\n", .hangs = true};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    struct http_exchange *exchange = start(f, &options);
    for (int i = 0; i < 20; i++)
        loop_run_once(f->loop, 10, NULL);
    http_exchange_cancel(exchange);
    for (int i = 0; i < 5; i++)
        loop_run_once(f->loop, 10, NULL);

    assert_false(f->done);
}

static void a_client_may_go_while_an_exchange_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\n", .hangs = true};
    answer_with(f, &answer, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    for (int i = 0; i < 20; i++)
        loop_run_once(f->loop, 10, NULL);
    http_client_destroy(f->client);
    f->client = NULL;

    assert_false(f->done);
}

static void a_proxy_in_the_environment_is_not_asked_for_this_machine(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    answer_with(f, &answer, 1);
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", loopback_unused_port());
    setenv("http_proxy", proxy, 1);
    struct http_exchange_options options = plain(f);

    start(f, &options);
    wait_until_done(f);
    unsetenv("http_proxy");

    assert_int_equal(f->failure.code, ERROR_NONE);
    assert_int_equal(f->status, 200);
}

struct retry {
    struct fixture *f;
    int64_t seconds;
};

static int keep_retry_after(void *self, struct http_exchange *exchange, struct error *err)
{
    (void)err;
    struct retry *retry = self;
    retry->seconds = http_exchange_retry_after_s(exchange);
    return 0;
}

static void end_retry(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct retry *retry = self;
    on_done(retry->f, exchange, failure);
}

static void retry_after_is_seconds_or_absent(void **state)
{
    static const struct {
        const char *answer;
        int64_t seconds;
    } cases[] = {
        {"HTTP/1.1 429 Full\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", 30},
        {"HTTP/1.1 429 Full\r\nContent-Length: 0\r\n\r\n", -1},
        {"HTTP/1.1 429 Full\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: "
         "0\r\n\r\n",
         0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loopback_answer answer = {.bytes = cases[i].answer};
        answer_with(f, &answer, 1);
        struct retry retry = {.f = f, .seconds = -7};
        struct http_exchange_handler handler = {&retry, keep_retry_after, ignore_data, end_retry};
        struct http_exchange_options options = plain(f);
        struct http_exchange *exchange;
        f->done = false;
        assert_int_equal(http_client_start(f->client, &options, &handler, &exchange, NULL), 0);
        wait_until_done(f);

        assert_int_equal(retry.seconds, cases[i].seconds);
        loopback_server_destroy(f->server);
        f->server = NULL;
    }
}

static void urls_are_read_as_the_client_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        bool is_https;
        bool is_loopback;
        bool has_credentials;
    } cases[] = {
        {"http://127.0.0.1:8080/a", true, false, true, false},
        {"http://LOCALHOST/", true, false, true, false},
        {"http://127.1/", true, false, true, false},
        {"http://0x7f000001/", true, false, true, false},
        {"http://[::1]:1/", true, false, true, false},
        {"http://[::2]/", true, false, false, false},
        {"https://eastus.dynamicsessions.io/subscriptions/s", true, true, false, false},
        {"http://localhost.example.com/", true, false, false, false},
        {"http://127.0.0.1.example.com/", true, false, false, false},
        {"http://localhost@example.com/", true, false, false, true},
        {"http://example.com/127.0.0.1", true, false, false, false},
        {"file:///etc/passwd", false, false, false, false},
        {"ftp://localhost/", false, false, false, false},
        {"gopher://localhost/", false, false, false, false},
        {"127.0.0.1:8080", false, false, false, false},
        {"http://", false, false, false, false},
        {"http://a b/", false, false, false, false},
        {"", false, false, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_url url = {0};
        struct error err = {0};
        bool valid = http_url_read(cases[i].text, &url, &err) == 0;
        if (valid != cases[i].valid || url.is_https != cases[i].is_https ||
            url.is_loopback != cases[i].is_loopback ||
            url.has_credentials != cases[i].has_credentials)
            fail_msg("%s: %d %d %d %d %s", cases[i].text, valid, url.is_https, url.is_loopback,
                     url.has_credentials, err.message);
    }
}

static void a_url_that_cannot_be_used_starts_nothing(void **state)
{
    struct fixture *f = *state;
    struct http_exchange_handler handler = {f, on_head, on_data, on_done};
    struct http_exchange *exchange = NULL;
    struct error err = {0};
    snprintf(f->url, sizeof f->url, "file:///etc/hostname");
    struct http_exchange_options options = plain(f);

    assert_int_equal(http_client_start(f->client, &options, &handler, &exchange, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_null(exchange);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_arrives_with_status_headers_and_body),
        TEST(an_interim_answer_is_not_the_answer),
        TEST(a_body_and_headers_are_sent_as_given),
        TEST(an_upload_streams_from_its_descriptor),
        TEST(a_file_that_shrinks_while_sent_is_an_error),
        TEST(a_refused_connection_is_an_error),
        TEST(a_body_that_ends_early_is_an_error),
        TEST(a_chunked_body_that_ends_early_is_an_error),
        TEST(a_redirect_is_reported_and_not_followed),
        TEST(an_answer_of_the_limit_passes_and_one_byte_more_does_not),
        TEST(a_late_answer_is_a_time_out),
        TEST(a_stalled_answer_is_a_time_out),
        TEST(the_handler_s_own_error_ends_the_exchange),
        TEST(exchanges_run_side_by_side_and_start_from_each_other_s_end),
        TEST(a_cancelled_exchange_never_reports),
        TEST(a_client_may_go_while_an_exchange_is_under_way),
        TEST(a_proxy_in_the_environment_is_not_asked_for_this_machine),
        TEST(retry_after_is_seconds_or_absent),
        TEST(a_url_that_cannot_be_used_starts_nothing),
        cmocka_unit_test(urls_are_read_as_the_client_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
