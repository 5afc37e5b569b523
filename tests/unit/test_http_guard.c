#include "base/http/http_guard.h"

#include "base/core/buf.h"
#include "tests/support/unit.h"

struct header {
    const char *name;
    const char *value;
};

static bool judge(const char *method, const char *target, const char *version,
                  const struct header *headers, size_t count, enum http_refusal *ret_why)
{
    struct http_guard guard = {0};
    const char *message;
    for (size_t i = 0; i < count && headers[i].name; i++)
        http_guard_add(&guard, headers[i].name, strlen(headers[i].name), headers[i].value,
                       strlen(headers[i].value));
    return http_guard_accepts(&guard, method, target, version, ret_why, &message);
}

static void a_body_has_one_length(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct header headers[4];
        bool accepted;
    } cases[] = {
        {"no body", {{"Host", "a"}}, true},
        {"a length", {{"host", "a"}, {"content-length", "5"}}, true},
        {"18 digits", {{"Host", "a"}, {"Content-Length", "999999999999999999"}}, true},
        {"19 digits", {{"Host", "a"}, {"Content-Length", "1000000000000000000"}}, false},
        {"chunked", {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}}, true},
        {"both", {{"Host", "a"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, false},
        {"two lengths", {{"Host", "a"}, {"Content-Length", "5"}, {"content-length", "5"}}, false},
        {"a list", {{"Host", "a"}, {"Content-Length", "5, 5"}}, false},
        {"a sign", {{"Host", "a"}, {"Content-Length", "+5"}}, false},
        {"negative", {{"Host", "a"}, {"Content-Length", "-5"}}, false},
        {"hexadecimal", {{"Host", "a"}, {"Content-Length", "0x5"}}, false},
        {"a blank", {{"Host", "a"}, {"Content-Length", "5 "}}, false},
        {"nothing", {{"Host", "a"}, {"Content-Length", ""}}, false},
        {"gzip, chunked", {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}, false},
        {"identity", {{"Host", "a"}, {"Transfer-Encoding", "identity"}}, false},
        {"xchunked", {{"Host", "a"}, {"Transfer-Encoding", "xchunked"}}, false},
        {"two encodings",
         {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
         false},
        {"no host", {{"Accept", "a"}}, false},
        {"two hosts", {{"Host", "a"}, {"Host", "a"}}, false},
        {"an empty host", {{"Host", ""}}, false},
        {"a blank before the colon", {{"Host", "a"}, {"Content-Length ", "5"}}, false},
        {"an empty name", {{"Host", "a"}, {"", "5"}}, false},
        {"a CR in a value", {{"Host", "a"}, {"A", "b\rc"}}, false},
        {"a tab in a value", {{"Host", "a"}, {"A", "b\tc"}}, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum http_refusal why;
        bool accepted = judge("POST", "/", "HTTP/1.1", cases[i].headers, 4, &why);
        if (accepted != cases[i].accepted || (!accepted && why != HTTP_REFUSED_FRAMING))
            fail_msg("%s", cases[i].what);
    }
}

static void http_1_0_has_no_chunks_and_needs_no_host(void **state)
{
    (void)state;
    enum http_refusal why;
    assert_true(judge("GET", "/", "HTTP/1.0", NULL, 0, &why));
    struct header chunked = {"Transfer-Encoding", "chunked"};
    assert_false(judge("POST", "/", "HTTP/1.0", &chunked, 1, &why));
}

static void headers_have_limits(void **state)
{
    (void)state;
    struct header headers[HTTP_HEADERS_MAX + 1];
    for (size_t i = 0; i < COUNT(headers); i++)
        headers[i] = (struct header){"A", "b"};
    headers[0] = (struct header){"Host", "a"};
    enum http_refusal why;
    assert_true(judge("GET", "/", "HTTP/1.1", headers, HTTP_HEADERS_MAX, &why));
    assert_false(judge("GET", "/", "HTTP/1.1", headers, HTTP_HEADERS_MAX + 1, &why));
    assert_int_equal(why, HTTP_REFUSED_HEADERS);

    static char value[HTTP_HEADER_BYTES_MAX];
    memset(value, 'v', sizeof value - 1);
    struct http_guard guard = {0};
    const char *message;
    http_guard_add(&guard, "Host", 4, "a", 1); /* 9 bytes as sent */
    http_guard_add(&guard, "B", 1, value, HTTP_HEADER_BYTES_MAX - 9 - 5);
    assert_true(http_guard_accepts(&guard, "GET", "/", "HTTP/1.1", &why, &message));
    guard.header_bytes++;
    assert_false(http_guard_accepts(&guard, "GET", "/", "HTTP/1.1", &why, &message));
    assert_int_equal(why, HTTP_REFUSED_HEADERS);
}

static void targets_and_methods_are_known_ones(void **state)
{
    (void)state;
    static char target[HTTP_TARGET_BYTES_MAX + 2];
    memset(target, '/', HTTP_TARGET_BYTES_MAX);
    struct header host = {"Host", "a"};
    enum http_refusal why;
    assert_true(judge("GET", target, "HTTP/1.1", &host, 1, &why));
    target[HTTP_TARGET_BYTES_MAX] = '/';
    assert_false(judge("GET", target, "HTTP/1.1", &host, 1, &why));
    assert_int_equal(why, HTTP_REFUSED_TARGET);
    assert_false(judge("GET", "/a b", "HTTP/1.1", &host, 1, &why));
    assert_false(judge("GET", "/\xC3\xA4", "HTTP/1.1", &host, 1, &why));
    assert_int_equal(why, HTTP_REFUSED_TARGET);
    assert_false(judge("FROB", "/", "HTTP/1.1", &host, 1, &why));
    assert_int_equal(why, HTTP_REFUSED_METHOD);
    assert_false(judge("get", "/", "HTTP/1.1", &host, 1, &why));
}

static void a_target_that_is_a_url_names_the_same_host(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool accepted;
    } cases[] = {
        {"http://a:1/x", true},    {"https://A:1", true}, {"http://a:1?x", true},
        {"http://b/x", false},     {"http://a/x", false}, {"http://a:1.b/x", false},
        {"http://b@a:1/x", false}, {"http:///x", false},  {"/http://b/x", true},
        {"/x?to=http://b/", true},
    };
    struct header host = {"Host", "a:1"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum http_refusal why;
        if (judge("GET", cases[i].target, "HTTP/1.1", &host, 1, &why) != cases[i].accepted)
            fail_msg("%s", cases[i].target);
    }
    enum http_refusal why;
    assert_true(judge("GET", "http://b/x", "HTTP/1.0", NULL, 0, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_has_one_length),
        cmocka_unit_test(http_1_0_has_no_chunks_and_needs_no_host),
        cmocka_unit_test(headers_have_limits),
        cmocka_unit_test(targets_and_methods_are_known_ones),
        cmocka_unit_test(a_target_that_is_a_url_names_the_same_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
