#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/pool/pool_client.h"
#include "base/core/cleanup.h"
#include "tests/agent/loopback_server.h"
#include "tests/support/unit.h"

enum { DEADLINE_MS = 20000 };

#define GENERATION_1 "2024-02-02-preview"
#define GENERATION_2 "2025-10-02-preview"
#define JSON_HEAD    "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct loopback_server *server;
    struct pool_client *pool;

    bool done;
    struct pool_result result;
    struct buf received;      /* by the sink */
    struct error refuse_data; /* what the sink answers, when it has a code */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    unsetenv("SANDPOOL_TOKEN");
    f->loop = loop_create(clock_system(), NULL);
    f->http = http_client_create(f->loop, "test", NULL);
    *state = f;
    return 0;
}

static void forget(struct fixture *f)
{
    pool_result_clear(&f->result);
    pool_client_destroy(f->pool);
    loopback_server_destroy(f->server);
    f->pool = NULL;
    f->server = NULL;
    f->done = false;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    forget(f);
    http_client_destroy(f->http);
    loop_destroy(f->loop);
    buf_free(&f->received);
    free(f);
    return 0;
}

static void connect_to(struct fixture *f, unsigned port, const char *version)
{
    char endpoint[128];
    struct error err = {0};
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/subscriptions/s/sessionPools/p/",
             port);
    struct pool_client_options options = {.endpoint = endpoint, .api_version = version};
    if (pool_client_create(f->http, &options, &f->pool, &err) < 0)
        fail_msg("%s", err.message);
}

static void answer_with(struct fixture *f, const char *version, const char *bytes)
{
    struct loopback_answer answer = {.bytes = bytes};
    f->server = loopback_server_start(&answer, 1);
    connect_to(f, loopback_server_port(f->server), version);
}

static void on_done(void *self, struct pool_result *result)
{
    struct fixture *f = self;
    assert_false(f->done);
    f->done = true;
    f->result = *result;
    *result = (struct pool_result){0};
}

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    struct fixture *f = self;
    if (f->refuse_data.code != ERROR_NONE) {
        *err = f->refuse_data;
        return -1;
    }
    buf_append(&f->received, data, length);
    return 0;
}

static const struct pool_result *wait_for(struct fixture *f, int started, const struct error *err)
{
    if (started < 0)
        fail_msg("%s", err->message);
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (!f->done && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 1000, NULL);
    assert_true(f->done);
    if (f->server)
        loopback_server_stop(f->server);
    return &f->result;
}

static const struct pool_result *execute(struct fixture *f, const char *code)
{
    struct wire_execution_request request = {.code = (char *)code,
                                             .code_length = strlen(code),
                                             .execution_type = (char *)"Synchronous",
                                             .timeout_s = 60,
                                             .output_streams_max_length = -1};
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};
    return wait_for(f, pool_client_execute(f->pool, "test-0001", &request, &handler, &call, &err),
                    &err);
}

static const struct pool_result *list(struct fixture *f, const char *directory, bool recursive)
{
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};
    return wait_for(
        f, pool_client_list(f->pool, "test-0001", directory, recursive, &handler, &call, &err),
        &err);
}

static const struct pool_result *download(struct fixture *f, const char *path)
{
    struct pool_handler handler = {f, on_done};
    struct pool_sink sink = {f, on_data};
    struct pool_call *call;
    struct error err = {0};
    return wait_for(
        f, pool_client_download(f->pool, "test-0001", path, &sink, &handler, &call, &err), &err);
}

static const struct pool_result *upload(struct fixture *f, const char *directory, const char *name,
                                        const char *data)
{
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};
    AUTO_CLOSE int fd = memfd_create("upload", MFD_CLOEXEC);
    assert_int_equal(write(fd, data, strlen(data)), strlen(data));
    return wait_for(
        f, pool_client_upload(f->pool, "test-0001", directory, name, fd, &handler, &call, &err),
        &err);
}

static const char *sent(struct fixture *f)
{
    return loopback_server_request(f->server, 0, NULL);
}

static void assert_sent(struct fixture *f, const char *text)
{
    if (!strstr(sent(f), text))
        fail_msg("\"%s\" is not in the request:\n%s", text, sent(f));
}

/* ---- executions ---- */

static void generation_2_executes_at_executions(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_2,
                JSON_HEAD
                "{\"$id\":\"1\",\"id\":\"8148371f-18fe-4cfd-8ca8-20246d469817\","
                "\"identifier\":\"testidentifier000003\",\"executionType\":\"synchronous\","
                "\"status\":\"Succeeded\",\"result\":{\"$id\":\"2\",\"stdout\":\"Hello "
                "world\\n\",\"stderr\":\"\",\"executionResult\":\"\","
                "\"executionTimeInMilliseconds\":7}}");

    const struct pool_result *result = execute(f, "print('Hello world')");

    assert_true(result->succeeded);
    assert_int_equal(result->status, 200);
    assert_int_equal(result->execution.status, WIRE_STATUS_SUCCEEDED);
    assert_string_equal(result->execution.standard_output, "Hello world\n");
    assert_int_equal(result->execution.execution_time_ms, 7);
    assert_sent(f, "POST /subscriptions/s/sessionPools/p/executions?api-version=2025-10-02-preview"
                   "&identifier=test-0001 HTTP/1.1\r\n");
    assert_sent(f, "Authorization: Bearer local\r\n");
    assert_sent(f, "Content-Type: application/json\r\n");
    assert_sent(f, "\"code\":\"print('Hello world')\"");
    assert_null(strstr(sent(f), "\"properties\""));
}

static void generation_1_executes_at_code_execute(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_1,
                JSON_HEAD "{\"$id\":\"1\",\"properties\":{\"$id\":\"2\",\"status\":\"Success\","
                          "\"stdout\":\"hello\\n\",\"stderr\":\"\",\"result\":2,"
                          "\"executionResult\":2,\"executionTimeInMilliseconds\":33}}");

    const struct pool_result *result = execute(f, "print('hello')\n1 + 1");

    assert_true(result->succeeded);
    assert_int_equal(result->execution.status, WIRE_STATUS_SUCCEEDED);
    assert_string_equal(result->execution.standard_output, "hello\n");
    assert_string_equal(result->execution.result, "2");
    assert_sent(f, "POST /subscriptions/s/sessionPools/p/code/execute?api-version="
                   "2024-02-02-preview&identifier=test-0001 HTTP/1.1\r\n");
    assert_sent(f, "{\"properties\":{");
}

static void a_failed_program_is_an_answer_and_no_refusal(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_1,
                JSON_HEAD "{\"$id\":\"1\",\"properties\":{\"$id\":\"2\",\"status\":\"Failure\","
                          "\"stdout\":\"\",\"stderr\":\"KeyError: 'x'\",\"result\":\"\","
                          "\"executionResult\":\"\",\"executionTimeInMilliseconds\":4}}");

    const struct pool_result *result = execute(f, "{}['x']");

    assert_true(result->succeeded);
    assert_int_equal(result->execution.status, WIRE_STATUS_FAILED);
    assert_string_equal(result->execution.standard_error, "KeyError: 'x'");
}

static void values_pass_through_unchanged(void **state)
{
    static const char *const values[] = {
        "123456789012345678901234567890",
        "0.1",
        "[1, 2, 3]",
        "null",
        "\"'abc'\"",
        "{\"type\":\"image\",\"format\":\"png\",\"base64_data\":\"iVBORw0KGgo=\"}",
    };
    static const struct {
        const char *version;
        const char *form;
    } generations[] = {
        {GENERATION_1,
         JSON_HEAD "{\"properties\":{\"status\":\"Success\",\"stdout\":\"\","
                   "\"stderr\":\"\",\"result\":%s,\"executionTimeInMilliseconds\":1}}"},
        {GENERATION_2, JSON_HEAD "{\"status\":\"Succeeded\",\"result\":{\"stdout\":\"\","
                                 "\"stderr\":\"\",\"executionResult\":%s,"
                                 "\"executionTimeInMilliseconds\":1}}"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < 2 * COUNT(values); i++) {
        AUTO_FREE char *answer = NULL;
        assert_true(asprintf(&answer, generations[i % 2].form, values[i / 2]) > 0);
        answer_with(f, generations[i % 2].version, answer);

        const struct pool_result *result = execute(f, "x");

        assert_true(result->succeeded);
        assert_string_equal(result->execution.result, values[i / 2]);
        forget(f);
    }
}

/* ---- refusals ---- */

static void a_refusal_keeps_the_service_s_words(void **state)
{
    struct fixture *f = *state;
    answer_with(
        f, GENERATION_2,
        "HTTP/1.1 400 Bad Request\r\nx-ms-error-code: SessionRequestValidationFailed\r\n\r\n"
        "{\"error\":{\"code\":\"SessionRequestValidationFailed\",\"message\":\"no such "
        "thing\",\"target\":\"identifier\",\"details\":[],\"traceId\":\"t1\"}}");

    const struct pool_result *result = execute(f, "x");

    assert_false(result->succeeded);
    assert_true(result->refused);
    assert_int_equal(result->status, 400);
    assert_int_equal(result->failure.code, ERROR_INVALID);
    assert_string_equal(result->service.code, "SessionRequestValidationFailed");
    assert_string_equal(result->service.message, "no such thing");
    assert_string_equal(result->service.target, "identifier");
    assert_non_null(strstr(result->failure.message, "400 SessionRequestValidationFailed"));
    assert_int_equal(result->retry_after_s, -1);
}

static void a_full_pool_says_when_to_retry(void **state)
{
    struct fixture *f = *state;
    answer_with(
        f, GENERATION_2,
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n\r\n"
        "{\"error\":{\"code\":\"SessionPoolMaxConcurrentSessionsReached\",\"message\":\"all "
        "10 sessions are in use\"}}");

    const struct pool_result *result = execute(f, "x");

    assert_true(result->refused);
    assert_int_equal(result->failure.code, ERROR_LIMIT);
    assert_int_equal(result->retry_after_s, 30);
    assert_string_equal(result->service.code, "SessionPoolMaxConcurrentSessionsReached");
}

static void every_refusal_has_a_code_even_without_an_error_body(void **state)
{
    static const struct {
        const char *answer;
        unsigned status;
        enum error_code code;
    } cases[] = {
        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n", 401,
         ERROR_DENIED},
        {"HTTP/1.1 403 Forbidden\r\n\r\n<html>no</html>", 403, ERROR_DENIED},
        {"HTTP/1.1 404 Not Found\r\n\r\n{\"error\":\"text\"}", 404, ERROR_MISSING},
        {"HTTP/1.1 408 Request Timeout\r\n\r\n", 408, ERROR_TIMEOUT},
        {"HTTP/1.1 413 Too Large\r\n\r\n{\"error\":{\"code\":1}}", 413, ERROR_LIMIT},
        {"HTTP/1.1 500 Oops\r\n\r\n{", 500, ERROR_SYSTEM},
        {"HTTP/1.1 503 Busy\r\n\r\n\xff\xfe", 503, ERROR_SYSTEM},
        {"HTTP/1.1 507 Full\r\n\r\n", 507, ERROR_LIMIT},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_with(f, GENERATION_2, cases[i].answer);

        const struct pool_result *result = execute(f, "x");

        assert_true(result->refused);
        assert_int_equal(result->status, cases[i].status);
        assert_int_equal(result->failure.code, cases[i].code);
        assert_null(result->service.code);
        forget(f);
    }
}

static void a_redirect_is_refused_with_its_target(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[] = {
        {.bytes = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/token\r\n"
                  "Content-Length: 0\r\n\r\n"},
        {.bytes = JSON_HEAD "{}"},
    };
    f->server = loopback_server_start(answers, 2);
    connect_to(f, loopback_server_port(f->server), GENERATION_2);

    const struct pool_result *result = execute(f, "x");

    assert_true(result->refused);
    assert_int_equal(result->failure.code, ERROR_DENIED);
    assert_non_null(strstr(result->failure.message, "http://169.254.169.254/token"));
    assert_int_equal(loopback_server_requests(f->server), 1);
}

/* ---- broken answers ---- */

static void a_pool_that_is_not_there_is_said_to_be_unreachable(void **state)
{
    struct fixture *f = *state;
    connect_to(f, loopback_unused_port(), GENERATION_2);

    const struct pool_result *result = execute(f, "x");

    assert_false(result->succeeded);
    assert_false(result->refused);
    assert_int_equal(result->status, 0);
    assert_int_equal(result->failure.code, ERROR_SYSTEM);
    assert_non_null(strstr(result->failure.message, "reach the pool at http://127.0.0.1:"));
}

static void answers_that_make_no_sense_are_errors(void **state)
{
    static const char *const answers[] = {
        JSON_HEAD "",
        JSON_HEAD "{\"status\":\"Succeeded\",\"result\":{\"stdout\":\"",
        JSON_HEAD "[]",
        JSON_HEAD "{}",
        JSON_HEAD "{\"status\":\"Dancing\"}",
        JSON_HEAD "{\"status\":\"Succeeded\",\"result\":{\"stdout\":7}}",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"status\":\"Succeeded\"",
        "HTTP/1.1 200 OK\r\nContent-Length: 134217729\r\n\r\n{", /* one byte beyond the limit */
        "SSH-2.0-OpenSSH_9.2\r\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        answer_with(f, GENERATION_2, answers[i]);

        const struct pool_result *result = execute(f, "x");

        if (result->succeeded || result->refused || result->failure.code == ERROR_NONE)
            fail_msg("taken for an answer: %s", answers[i]);
        forget(f);
    }
}

static void an_error_body_without_end_is_cut_off(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 500 Oops\r\n\r\n",
                                     .repeat_body = 1024 * 1024};
    f->server = loopback_server_start(&answer, 1);
    connect_to(f, loopback_server_port(f->server), GENERATION_2);

    const struct pool_result *result = execute(f, "x");

    assert_true(result->refused);
    assert_int_equal(result->status, 500);
    assert_true(result->answer.length < 1024 * 1024);
}

static void a_cancelled_call_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\n", .hangs = true};
    f->server = loopback_server_start(&answer, 1);
    connect_to(f, loopback_server_port(f->server), GENERATION_2);
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;

    assert_int_equal(pool_client_list(f->pool, "test-0001", NULL, false, &handler, &call, NULL), 0);
    for (int i = 0; i < 10; i++)
        loop_run_once(f->loop, 10, NULL);
    assert_false(f->done);
    pool_call_cancel(call);

    assert_true(f->done);
    assert_false(f->result.succeeded);
    assert_int_equal(f->result.failure.code, ERROR_CONFLICT);
}

/* ---- files ---- */

static void both_generations_list_files(void **state)
{
    static const struct {
        const char *version;
        const char *answer;
        const char *target;
    } cases[] = {
        {GENERATION_1,
         JSON_HEAD
         "{\"$id\":\"1\",\"value\":[{\"$id\":\"2\",\"properties\":{\"$id\":\"3\","
         "\"filename\":\"cert.txt\",\"size\":7,\"lastModifiedTime\":\"2024-11-11T09:05:02."
         "4865293Z\"}}]}",
         "GET /subscriptions/s/sessionPools/p/files?api-version=2024-02-02-preview&identifier="
         "test-0001 HTTP"},
        {GENERATION_2,
         JSON_HEAD
         "{\"$id\":\"1\",\"value\":[{\"$id\":\"2\",\"name\":\"cert.txt\",\"type\":\"file\","
         "\"contentType\":\"text/plain; charset=utf-8\",\"sizeInBytes\":7,"
         "\"lastModifiedAt\":\"2024-11-11T09:05:02.4865293Z\"}]}",
         "GET /subscriptions/s/sessionPools/p/files?api-version=2025-10-02-preview&identifier="
         "test-0001 HTTP"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_with(f, cases[i].version, cases[i].answer);

        const struct pool_result *result = list(f, NULL, false);

        assert_true(result->succeeded);
        assert_int_equal(result->files.count, 1);
        assert_string_equal(result->files.files[0].name, "cert.txt");
        assert_int_equal(result->files.files[0].size_bytes, 7);
        assert_int_equal(result->files.files[0].modified_s, 1731315902);
        assert_false(result->files.files[0].is_directory);
        assert_sent(f, cases[i].target);
        forget(f);
    }
}

static void a_recursive_listing_of_a_directory_says_so(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_2, JSON_HEAD "{\"value\":[]}");

    const struct pool_result *result = list(f, "/mnt/data/a b/c", true);

    assert_true(result->succeeded);
    assert_int_equal(result->files.count, 0);
    assert_sent(f, "&path=a%20b%2Fc&recursive=true HTTP");
}

static void both_generations_upload(void **state)
{
    static const struct {
        const char *version;
        const char *answer;
        const char *target;
        const char *filename;
    } cases[] = {
        {GENERATION_1,
         JSON_HEAD "{\"$id\":\"1\",\"value\":[{\"$id\":\"2\",\"properties\":{\"$id\":\"3\","
                   "\"filename\":\"test1.txt\",\"size\":16,\"lastModifiedTime\":\"2024-05-02T07:21:"
                   "07.9922617Z\"}}]}",
         "/files/upload?api-version=2024-02-02-preview&identifier=test-0001 HTTP",
         "filename=\"sub/test1.txt\"\r\n"},
        {GENERATION_2,
         JSON_HEAD "{\"$id\":\"1\",\"name\":\"test1.txt\",\"type\":\"\",\"contentType\":\"\","
                   "\"sizeInBytes\":16,\"lastModifiedAt\":\"2024-11-11T09:05:02.4865293Z\"}",
         "/files?api-version=2025-10-02-preview&identifier=test-0001&path=sub HTTP",
         "filename=\"test1.txt\"\r\n"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_with(f, cases[i].version, cases[i].answer);

        const struct pool_result *result = upload(f, "sub", "test1.txt", "hello world!!!!!");

        assert_true(result->succeeded);
        assert_string_equal(result->file.name, "test1.txt");
        assert_int_equal(result->file.size_bytes, 16);
        assert_sent(f, cases[i].target);
        assert_sent(f, "name=\"file\"; ");
        assert_sent(f, cases[i].filename);
        assert_sent(f, "\r\n\r\nhello world!!!!!\r\n--");
        forget(f);
    }
}

static void only_regular_files_are_uploaded(void **state)
{
    struct fixture *f = *state;
    connect_to(f, 1, GENERATION_2);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};

    int started =
        pool_client_upload(f->pool, "test-0001", NULL, "a", ends[0], &handler, &call, &err);
    close(ends[0]);
    close(ends[1]);

    assert_int_equal(started, -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void a_file_of_the_service_s_limit_may_be_sent_and_one_byte_more_not(void **state)
{
    struct fixture *f = *state;
    connect_to(f, loopback_unused_port(), GENERATION_2);
    AUTO_CLOSE int fd = memfd_create("upload", MFD_CLOEXEC);
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};

    assert_int_equal(ftruncate(fd, 134217729), 0);
    assert_int_equal(pool_client_upload(f->pool, "test-0001", NULL, "a", fd, &handler, &call, &err),
                     -1);
    assert_int_equal(err.code, ERROR_LIMIT);

    assert_int_equal(ftruncate(fd, 134217728), 0);
    assert_int_equal(pool_client_upload(f->pool, "test-0001", NULL, "a", fd, &handler, &call, &err),
                     0);
    pool_call_cancel(call);
}

static void both_generations_download(void **state)
{
    static const struct {
        const char *version;
        const char *target;
    } cases[] = {
        {GENERATION_1,
         "GET /subscriptions/s/sessionPools/p/files/content/a%20b/c%3F.txt?api-version="
         "2024-02-02-preview&identifier=test-0001 HTTP"},
        {GENERATION_2, "GET /subscriptions/s/sessionPools/p/files/c%3F.txt/content?api-version="
                       "2025-10-02-preview&identifier=test-0001&path=a%20b HTTP"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_with(f, cases[i].version, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ntesting");
        buf_clear(&f->received);

        const struct pool_result *result = download(f, "/mnt/data/a b/c?.txt");

        assert_true(result->succeeded);
        assert_int_equal(result->downloaded_bytes, 7);
        assert_string_equal(f->received.data, "testing");
        assert_sent(f, cases[i].target);
        forget(f);
    }
}

static void the_body_of_a_refusal_is_not_a_file(void **state)
{
    struct fixture *f = *state;
    answer_with(
        f, GENERATION_2,
        "HTTP/1.1 404 Not Found\r\n\r\n{\"error\":{\"code\":\"FileNotFound\",\"message\":\"no "
        "file a\"}}");

    const struct pool_result *result = download(f, "a");

    assert_true(result->refused);
    assert_int_equal(result->failure.code, ERROR_MISSING);
    assert_string_equal(result->service.code, "FileNotFound");
    assert_int_equal(f->received.length, 0);
}

static void a_download_that_ends_early_fails(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_2, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ntesting");

    const struct pool_result *result = download(f, "a");

    assert_false(result->succeeded);
    assert_int_equal(result->failure.code, ERROR_SYSTEM);
}

static void the_sink_s_error_ends_a_download(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_2, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ntesting");
    error_set(&f->refuse_data, ERROR_LIMIT, "write a: No space left on device");

    const struct pool_result *result = download(f, "a");

    assert_false(result->succeeded);
    assert_string_equal(result->failure.message, "write a: No space left on device");
}

static void removing_uses_the_oldest_version_that_can(void **state)
{
    static const struct {
        const char *version;
        const char *target;
    } cases[] = {
        {GENERATION_1, "DELETE /subscriptions/s/sessionPools/p/files/sub/a.txt?api-version="
                       "2024-08-02-preview&identifier=test-0001 HTTP"},
        {GENERATION_2, "DELETE /subscriptions/s/sessionPools/p/files/a.txt?api-version="
                       "2025-10-02-preview&identifier=test-0001&path=sub HTTP"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_with(f, cases[i].version, "HTTP/1.1 204 No Content\r\n\r\n");
        struct pool_handler handler = {f, on_done};
        struct pool_call *call;
        struct error err = {0};

        int started =
            pool_client_remove_file(f->pool, "test-0001", "sub/a.txt", &handler, &call, &err);

        assert_true(wait_for(f, started, &err)->succeeded);
        assert_sent(f, cases[i].target);
        forget(f);
    }
}

static void a_session_is_deleted_by_the_version_that_knows_how(void **state)
{
    struct fixture *f = *state;
    answer_with(f, GENERATION_1, "HTTP/1.1 204 No Content\r\n\r\n");
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};

    int started = pool_client_delete_session(f->pool, "user|1&x=y", &handler, &call, &err);

    assert_true(wait_for(f, started, &err)->succeeded);
    assert_sent(f, "DELETE /subscriptions/s/sessionPools/p/session?api-version=2025-10-02-preview"
                   "&identifier=user%7C1%26x%3Dy HTTP");
}

/* ---- what is never sent ---- */

static void bad_arguments_start_nothing(void **state)
{
    struct fixture *f = *state;
    connect_to(f, loopback_unused_port(), GENERATION_2);
    struct pool_handler handler = {f, on_done};
    struct pool_sink sink = {f, on_data};
    struct pool_call *call;
    struct error err;

    static const char *const identifiers[] = {"", "abc", "two words", "caf\xc3\xa9", "a\r\nb: c"};
    for (size_t i = 0; i < COUNT(identifiers); i++) {
        err = (struct error){0};
        assert_int_equal(
            pool_client_list(f->pool, identifiers[i], NULL, false, &handler, &call, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    static const char *const paths[] = {"",       "/",   "..",        "../x",
                                        "a/../b", "./a", "/mnt/data", "\xff"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        err = (struct error){0};
        assert_int_equal(
            pool_client_download(f->pool, "test-0001", paths[i], &sink, &handler, &call, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    assert_false(f->done);
}

static void the_token_comes_from_the_environment(void **state)
{
    struct fixture *f = *state;
    setenv("SANDPOOL_TOKEN", "eyJ0.a.b", 1);
    answer_with(f, GENERATION_2, JSON_HEAD "{\"value\":[]}");

    assert_true(list(f, NULL, false)->succeeded);

    assert_sent(f, "Authorization: Bearer eyJ0.a.b\r\n");
}

static void without_a_token_nothing_is_sent_to_another_machine(void **state)
{
    struct fixture *f = *state;
    struct pool_client_options options = {.endpoint = "https://pool.invalid/p"};
    struct pool_handler handler = {f, on_done};
    struct pool_call *call;
    struct error err = {0};
    assert_int_equal(pool_client_create(f->http, &options, &f->pool, &err), 0);

    assert_int_equal(pool_client_list(f->pool, "test-0001", NULL, false, &handler, &call, &err),
                     -1);
    assert_int_equal(err.code, ERROR_DENIED);
    assert_non_null(strstr(err.message, "SANDPOOL_TOKEN"));

    setenv("SANDPOOL_TOKEN", "a\r\nX-Injected: 1", 1);
    assert_int_equal(pool_client_list(f->pool, "test-0001", NULL, false, &handler, &call, &err),
                     -1);
    assert_int_equal(err.code, ERROR_DENIED);
    assert_null(strstr(err.message, "Injected"));
}

/* ---- tokens ---- */

struct turns {
    unsigned asked;
    const char *tokens[2];
};

static void give_in_turn(void *self, const char *scope, bool fresh, struct credential_wait *wait)
{
    struct turns *turns = self;
    assert_string_equal(scope, CREDENTIAL_SCOPE_POOL);
    assert_int_equal(fresh, turns->asked > 0);
    wait->on_token(wait->self, turns->tokens[turns->asked++], NULL);
}

static void connect_with(struct fixture *f, struct turns *turns)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", loopback_server_port(f->server));
    struct pool_client_options options = {.endpoint = endpoint,
                                          .credential = {.self = turns, .ask = give_in_turn}};
    assert_int_equal(pool_client_create(f->http, &options, &f->pool, NULL), 0);
}

#define UNAUTHORIZED                                                                               \
    "HTTP/1.1 401 Unauthorized\r\n\r\n{\"error\":{\"code\":\"Unauthorized\",\"message\":\"m\"}}"

static void a_token_that_is_refused_is_replaced_once(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answers[] = {
        {.bytes = UNAUTHORIZED},
        {.bytes = JSON_HEAD "{\"identifier\":\"i\",\"status\":\"Succeeded\",\"result\":{}}"}};
    struct turns turns = {.tokens = {"old", "new"}};
    f->server = loopback_server_start(answers, 2);
    connect_with(f, &turns);

    const struct pool_result *result = execute(f, "1");

    assert_true(result->succeeded);
    assert_int_equal(loopback_server_requests(f->server), 2);
    assert_non_null(strstr(loopback_server_request(f->server, 0, NULL), "Bearer old"));
    const char *second = loopback_server_request(f->server, 1, NULL);
    assert_non_null(strstr(second, "Bearer new"));
    assert_non_null(strstr(second, "\"code\""));
}

static void the_same_token_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answers[] = {{.bytes = UNAUTHORIZED}, {.bytes = UNAUTHORIZED}};
    struct turns turns = {.tokens = {"same", "same"}};
    f->server = loopback_server_start(answers, 2);
    connect_with(f, &turns);

    const struct pool_result *result = execute(f, "1");

    assert_true(result->refused);
    assert_int_equal(result->status, 401);
    assert_int_equal(loopback_server_requests(f->server), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(generation_2_executes_at_executions),
        TEST(generation_1_executes_at_code_execute),
        TEST(a_failed_program_is_an_answer_and_no_refusal),
        TEST(values_pass_through_unchanged),
        TEST(a_refusal_keeps_the_service_s_words),
        TEST(a_full_pool_says_when_to_retry),
        TEST(every_refusal_has_a_code_even_without_an_error_body),
        TEST(a_redirect_is_refused_with_its_target),
        TEST(a_pool_that_is_not_there_is_said_to_be_unreachable),
        TEST(answers_that_make_no_sense_are_errors),
        TEST(an_error_body_without_end_is_cut_off),
        TEST(a_cancelled_call_ends_at_once),
        TEST(both_generations_list_files),
        TEST(a_recursive_listing_of_a_directory_says_so),
        TEST(both_generations_upload),
        TEST(only_regular_files_are_uploaded),
        TEST(a_file_of_the_service_s_limit_may_be_sent_and_one_byte_more_not),
        TEST(both_generations_download),
        TEST(the_body_of_a_refusal_is_not_a_file),
        TEST(a_download_that_ends_early_fails),
        TEST(the_sink_s_error_ends_a_download),
        TEST(removing_uses_the_oldest_version_that_can),
        TEST(a_session_is_deleted_by_the_version_that_knows_how),
        TEST(bad_arguments_start_nothing),
        TEST(the_token_comes_from_the_environment),
        TEST(without_a_token_nothing_is_sent_to_another_machine),
        cmocka_unit_test_setup_teardown(a_token_that_is_refused_is_replaced_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_same_token_is_not_tried_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
