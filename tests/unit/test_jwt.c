#include "sandboxd/identity/jwt.h"

#include "base/core/state_file.h"
#include "base/json/base64.h"
#include "tests/support/state_directory.h"

/* 2026-01-01T00:00:00Z */
static const int64_t now_s = 1767225600;
static struct issuer *issuer;
static void *directory;

static int open_issuer(void **state)
{
    struct error err = {0};
    (void)state;
    if (state_directory_open(&directory) < 0)
        return -1;
    return issuer_open(((struct state_directory *)directory)->fd, true, &issuer, &err);
}

static int close_issuer(void **state)
{
    (void)state;
    issuer_destroy(issuer);
    return state_directory_close(&directory);
}

static struct jwt_claims claims_for(const char *audience)
{
    struct jwt_claims claims = {.expires_s = now_s + 3600, .not_before_s = now_s};
    snprintf(claims.aud, sizeof claims.aud, "%s", audience);
    snprintf(claims.oid, sizeof claims.oid, "an object");
    snprintf(claims.appid, sizeof claims.appid, "an application");
    return claims;
}

static struct buf sign(const struct jwt_claims *claims)
{
    struct buf token = {0};
    struct error err = {0};
    assert_int_equal(jwt_sign(issuer, claims, &token, &err), 0);
    return token;
}

/* A token of any header and payload with a true signature of this issuer. */
static struct buf forge(const char *header, const char *payload)
{
    struct buf token = {0}, signature = {0};
    struct error err = {0};
    base64url_encode(header, strlen(header), &token);
    buf_append_text(&token, ".");
    base64url_encode(payload, strlen(payload), &token);
    assert_int_equal(issuer_sign(issuer, token.data, token.length, &signature, &err), 0);
    buf_append_text(&token, ".");
    base64url_encode(signature.data, signature.length, &token);
    buf_free(&signature);
    return token;
}

static void our_own_token_is_accepted_until_it_expires(void **state)
{
    (void)state;
    struct jwt_claims claims = claims_for("https://dynamicsessions.io"), read;
    AUTO_BUF struct buf token = sign(&claims);
    struct error err = {0};
    assert_int_equal(jwt_verify(issuer, token.data, token.length, now_s, &read, &err), 0);
    assert_string_equal(read.oid, "an object");
    assert_string_equal(read.appid, "an application");
    assert_string_equal(read.aud, "https://dynamicsessions.io");

    static const struct {
        int64_t at_s;
        const char *problem; /* NULL: accepted */
    } cases[] = {
        {now_s - JWT_SKEW_S, NULL},
        {now_s - JWT_SKEW_S - 1, "valid only from 2026-01-01T00:00:00"},
        {now_s + 3600 + JWT_SKEW_S - 1, NULL},
        {now_s + 3600 + JWT_SKEW_S, "expired at 2026-01-01T01:00:00"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int result = jwt_verify(issuer, token.data, token.length, cases[i].at_s, &read, &err);
        assert_int_equal(result, cases[i].problem ? -1 : 0);
        if (cases[i].problem)
            assert_error(err, ERROR_DENIED, cases[i].problem);
    }
}

static void an_audience_is_compared_without_its_last_slash(void **state)
{
    (void)state;
    static const char *const accepted[] = {"https://dynamicsessions.io", "https://acasessions.io",
                                           NULL};
    static const struct {
        const char *audience;
        bool right;
    } cases[] = {
        {"https://dynamicsessions.io", true},
        {"https://dynamicsessions.io/", true},
        {"https://ACAsessions.io", true},
        {"https://dynamicsessions.io//", false},
        {"https://dynamicsessions.i", false},
        {"https://management.azure.com/", false},
        {"", false},
        {"/", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct jwt_claims claims = claims_for(cases[i].audience);
        struct error err = {0};
        assert_int_equal(jwt_check_audience(&claims, accepted, &err), cases[i].right ? 0 : -1);
        if (!cases[i].right) {
            assert_error(err, ERROR_DENIED, cases[i].audience);
            assert_error(err, ERROR_DENIED, "https://dynamicsessions.io, https://acasessions.io");
        }
    }
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct jwt_claims claims = claims_for("https://dynamicsessions.io"), read;
    AUTO_BUF struct buf token = sign(&claims);
    struct error err = {0};
    for (size_t i = 0; i < token.length; i++) {
        char before = token.data[i];
        token.data[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(jwt_verify(issuer, token.data, token.length, now_s, &read, &err), -1);
        token.data[i] = before;
    }
    for (size_t length = 0; length < token.length; length++)
        assert_int_equal(jwt_verify(issuer, token.data, length, now_s, &read, &err), -1);
    assert_int_equal(jwt_verify(issuer, token.data, token.length, now_s, &read, &err), 0);
}

static void another_algorithm_key_or_issuer_is_refused_by_name(void **state)
{
    (void)state;
    char ours[256];
    snprintf(ours, sizeof ours, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", issuer_key_id(issuer));
    char none[256];
    snprintf(none, sizeof none, "{\"alg\":\"none\",\"kid\":\"%s\"}", issuer_key_id(issuer));
    const struct {
        const char *header, *payload;
        enum error_code code;
        const char *problem;
    } cases[] = {
        {none, "{}", ERROR_DENIED, "\"none\"; only RS256"},
        {"{\"alg\":\"HS256\"}", "{}", ERROR_DENIED, "\"HS256\""},
        {"{}", "{}", ERROR_DENIED, "only RS256"},
        {"{\"alg\":[\"RS256\"]}", "{}", ERROR_INVALID, "alg: must be a string"},
        {"{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}", ERROR_INVALID, "duplicate"},
        {"{\"alg\":\"RS256\",\"kid\":\"another\"}", "{}", ERROR_DENIED,
         "not issued by this daemon"},
        {"[]", "{}", ERROR_INVALID, "not an object"},
        {ours, "{\"exp\":1867225600}", ERROR_DENIED, "issuer"},
        {ours, "{\"iss\":\"https://sandpool.invalid/\"}", ERROR_DENIED, "no exp"},
        {ours, "{\"iss\":\"https://sandpool.invalid/\",\"exp\":-1}", ERROR_INVALID, "exp"},
        {ours, "{\"iss\":\"https://sandpool.invalid/\",\"exp\":1e99}", ERROR_INVALID, "exp"},
        {ours, "{\"aud\":[\"https://dynamicsessions.io\"]}", ERROR_INVALID, "aud"},
        {ours, "", ERROR_INVALID, "payload"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        struct jwt_claims read;
        AUTO_BUF struct buf token = forge(cases[i].header, cases[i].payload);
        assert_int_equal(jwt_verify(issuer, token.data, token.length, now_s, &read, &err), -1);
        assert_error(err, cases[i].code, cases[i].problem);
    }
}

static void claims_of_any_token_are_read_without_believing_them(void **state)
{
    (void)state;
    struct jwt_claims read;
    struct error err = {0};
    AUTO_BUF struct buf token = forge("{\"alg\":\"none\"}", "{\"oid\":\"o\",\"azp\":\"a\"}");
    assert_int_equal(jwt_read_unverified(token.data, token.length, &read, &err), 0);
    assert_string_equal(read.oid, "o");
    assert_string_equal(read.appid, "a");

    static const char *const others[] = {"",       "local", "a.b",    "a.b.c.d", ".e30.",
                                         "!.e30.", "..",    "x.W10.", "x.e30=.", "x.bnVsbA."};
    static const bool readable[] = {false, false, false, false, true,
                                    true,  false, false, false, false};
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(jwt_read_unverified(others[i], strlen(others[i]), &read, &err),
                         readable[i] ? 0 : -1);
    }
}

static void a_token_has_a_largest_size(void **state)
{
    (void)state;
    static char text[JWT_BYTES_MAX + 1];
    struct jwt_claims read;
    struct error err = {0};
    memset(text, '.', sizeof text);
    assert_int_equal(jwt_verify(issuer, text, sizeof text, now_s, &read, &err), -1);
    assert_error(err, ERROR_LIMIT, "8192");
    assert_int_equal(jwt_verify(issuer, text, sizeof text - 1, now_s, &read, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void the_key_is_kept_and_a_broken_one_is_not_replaced(void **state)
{
    (void)state;
    int fd = ((struct state_directory *)directory)->fd;
    struct error err = {0};
    struct issuer *again = NULL;
    assert_int_equal(issuer_open(fd, false, &again, &err), 0);
    assert_string_equal(issuer_key_id(again), issuer_key_id(issuer));
    issuer_destroy(again);

    AUTO_FREE char *key = NULL;
    size_t length = 0;
    assert_int_equal(
        state_file_read(fd, "issuer.key", STATE_FILE_SECRET, 65536, &key, &length, &err), 0);
    assert_int_equal(state_file_write(fd, "issuer.key", STATE_FILE_SECRET, key, length / 2, &err),
                     0);
    assert_int_equal(issuer_open(fd, true, &again, &err), -1);
    assert_error(err, ERROR_INVALID, "issuer.key holds no private key");
    assert_int_equal(state_file_write(fd, "issuer.key", STATE_FILE_SECRET, key, length, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_token_is_accepted_until_it_expires),
        cmocka_unit_test(an_audience_is_compared_without_its_last_slash),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(another_algorithm_key_or_issuer_is_refused_by_name),
        cmocka_unit_test(claims_of_any_token_are_read_without_believing_them),
        cmocka_unit_test(a_token_has_a_largest_size),
        cmocka_unit_test(the_key_is_kept_and_a_broken_one_is_not_replaced),
    };
    return cmocka_run_group_tests(tests, open_issuer, close_issuer);
}
