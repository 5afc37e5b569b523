#include "sandboxd/identity/grant.h"

#include "base/json/json.h"
#include "sandboxd/identity/audience.h"
#include "sandboxd/identity/jwt.h"
#include "sandboxd/identity/subject.h"
#include "tests/support/state_directory.h"

#define ALICE "aaaaaaaa-0000-0000-0000-000000000001"

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

static struct grant grant_at(const char *host)
{
    return (struct grant){.issuer = issuer, .host = host, .now_s = now_s};
}

static const char *text_of(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static json_t *parse(const struct buf *body)
{
    struct error err = {0};
    json_t *object = NULL;
    assert_int_equal(json_parse(body->data, body->length, JSON_BYTES_MAX, &object, &err), 0);
    return object;
}

static struct jwt_claims claims_of(json_t *answer)
{
    struct jwt_claims claims;
    struct error err = {0};
    const char *token = text_of(answer, "access_token");
    assert_int_equal(jwt_verify(issuer, token, strlen(token), now_s, &claims, &err), 0);
    return claims;
}

static void an_identity_gets_a_token_in_the_services_shape(void **state)
{
    (void)state;
    struct grant grant = grant_at("127.0.0.1:8900");
    struct grant_identity_request request = {.resource = "https://dynamicsessions.io"};
    AUTO_BUF struct buf body = {0};
    assert_int_equal(grant_to_identity(&grant, &request, &body), GRANT_ISSUED);
    AUTO_JSON json_t *answer = parse(&body);
    assert_int_equal(json_object_size(answer), 5);
    assert_string_equal(text_of(answer, "expires_on"), "1767312000");
    assert_string_equal(text_of(answer, "resource"), "https://dynamicsessions.io");
    assert_string_equal(text_of(answer, "token_type"), "Bearer");
    assert_string_equal(text_of(answer, "client_id"), SUBJECT_CLIENT_ID);
    struct jwt_claims claims = claims_of(answer);
    assert_string_equal(claims.aud, "https://dynamicsessions.io");
    assert_string_equal(claims.oid, SUBJECT_OBJECT_ID);

    AUTO_BUF struct buf second = {0};
    request = (struct grant_identity_request){
        .resource = "https://management.azure.com/", .client_id = ALICE, .with_times = true};
    assert_int_equal(grant_to_identity(&grant, &request, &second), GRANT_ISSUED);
    AUTO_JSON json_t *with_times = parse(&second);
    assert_string_equal(text_of(with_times, "expires_in"), "86400");
    assert_string_equal(text_of(with_times, "not_before"), "1767225600");
    assert_string_equal(claims_of(with_times).appid, ALICE);
}

static void a_client_gets_a_token_for_its_scope(void **state)
{
    (void)state;
    static const struct {
        const char *scope, *audience;
    } cases[] = {
        {"https://dynamicsessions.io/.default", "https://dynamicsessions.io"},
        {"https://dynamicsessions.io//.default", "https://dynamicsessions.io/"},
        {"openid https://localhost:8901/.default  profile offline_access",
         "https://localhost:8901"},
        {"https://sandpool.test:9/.default", "https://sandpool.test:9"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct grant grant = grant_at("SANDPOOL.test:8901");
        struct grant_client_request request = {
            .tenant = ALICE,
            .grant_type = "client_credentials",
            .scope = cases[i].scope,
            .client_id = ALICE,
            .client_assertion = i ? "an assertion" : NULL,
            .client_secret = i ? NULL : "a secret",
        };
        AUTO_BUF struct buf body = {0};
        assert_int_equal(grant_to_client(&grant, &request, &body), GRANT_ISSUED);
        AUTO_JSON json_t *answer = parse(&body);
        assert_int_equal(json_integer_value(json_object_get(answer, "expires_in")), 3599);
        struct jwt_claims claims = claims_of(answer);
        assert_string_equal(claims.aud, cases[i].audience);
        assert_string_equal(claims.tid, ALICE);
    }
}

static void each_wrong_request_is_told_by_oauths_own_word(void **state)
{
    (void)state;
#define SCOPE "https://dynamicsessions.io/.default"
    static const struct {
        struct grant_client_request request;
        enum grant_outcome outcome;
        const char *error;
    } cases[] = {
        {{.grant_type = NULL}, GRANT_REFUSED, "unsupported_grant_type"},
        {{.grant_type = "password"}, GRANT_REFUSED, "unsupported_grant_type"},
        {{.grant_type = "client_credentials"}, GRANT_REFUSED, "invalid_request"},
        {{.grant_type = "client_credentials", .client_id = ALICE},
         GRANT_UNAUTHORIZED,
         "invalid_client"},
        {{.grant_type = "client_credentials", .client_id = ALICE, .client_secret = ""},
         GRANT_UNAUTHORIZED,
         "invalid_client"},
        {{.grant_type = "client_credentials", .client_id = ALICE, .client_secret = "s"},
         GRANT_REFUSED,
         "invalid_scope"},
        {{.grant_type = "client_credentials",
          .client_id = ALICE,
          .client_secret = "s",
          .scope = "https://dynamicsessions.io"},
         GRANT_REFUSED,
         "invalid_scope"},
        {{.grant_type = "client_credentials",
          .client_id = ALICE,
          .client_secret = "s",
          .scope = SCOPE " " SCOPE},
         GRANT_REFUSED,
         "invalid_scope"},
        {{.grant_type = "client_credentials",
          .client_id = ALICE,
          .client_secret = "s",
          .scope = "/.default"},
         GRANT_REFUSED,
         "invalid_scope"},
        {{.grant_type = "client_credentials",
          .client_id = ALICE,
          .client_secret = "s",
          .scope = "https://graph.microsoft.com/.default"},
         GRANT_REFUSED,
         "invalid_resource"},
        {{.grant_type = "client_credentials",
          .client_id = "alice",
          .client_secret = "s",
          .scope = SCOPE},
         GRANT_REFUSED,
         "invalid_request"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct grant grant = grant_at("localhost:8901");
        AUTO_BUF struct buf body = {0};
        assert_int_equal(grant_to_client(&grant, &cases[i].request, &body), cases[i].outcome);
        AUTO_JSON json_t *answer = parse(&body);
        assert_string_equal(text_of(answer, "error"), cases[i].error);
        assert_true(*text_of(answer, "error_description"));
    }
}

static void an_identity_must_say_what_for_and_who_in_known_words(void **state)
{
    (void)state;
    static const struct {
        struct grant_identity_request request;
        const char *error;
    } cases[] = {
        {{.resource = NULL}, "invalid_request"},
        {{.resource = ""}, "invalid_request"},
        {{.resource = "https://vault.azure.net"}, "invalid_resource"},
        {{.resource = "https://dynamicsessions.io", .client_id = "x"}, "invalid_request"},
        {{.resource = "https://dynamicsessions.io", .object_id = "x"}, "invalid_request"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct grant grant = grant_at("localhost:8900");
        AUTO_BUF struct buf body = {0};
        assert_int_equal(grant_to_identity(&grant, &cases[i].request, &body), GRANT_REFUSED);
        AUTO_JSON json_t *answer = parse(&body);
        assert_string_equal(text_of(answer, "error"), cases[i].error);
    }
}

static void tokens_are_issued_for_the_service_and_for_ourselves(void **state)
{
    (void)state;
    static const struct {
        const char *resource, *host;
        bool issued;
    } cases[] = {
        {"https://dynamicsessions.io", NULL, true},
        {"https://DynamicSessions.io/", NULL, true},
        {"https://acasessions.io", NULL, true},
        {"https://management.azure.com/", NULL, true},
        {"https://management.core.windows.net/", NULL, true},
        {"https://dynamicsessions.io.test", NULL, false},
        {"http://127.0.0.1:1", NULL, true},
        {"https://[::1]:1/", NULL, true},
        {"https://localhost", NULL, true},
        {"https://localhost.test", NULL, false},
        {"https://localhost/path", NULL, false},
        {"https://pool.test:1", "pool.test:2", true},
        {"https://[fe80::1]:1", "[fe80::1]", true},
        {"https://pool.test", "", false},
        {"https://pool.test", "other.test", false},
        {"https://", "", false},
        {"ftp://localhost", NULL, false},
        {"", NULL, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(audience_is_issued(cases[i].resource, cases[i].host), cases[i].issued);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_gets_a_token_in_the_services_shape),
        cmocka_unit_test(a_client_gets_a_token_for_its_scope),
        cmocka_unit_test(each_wrong_request_is_told_by_oauths_own_word),
        cmocka_unit_test(an_identity_must_say_what_for_and_who_in_known_words),
        cmocka_unit_test(tokens_are_issued_for_the_service_and_for_ourselves),
    };
    return cmocka_run_group_tests(tests, open_issuer, close_issuer);
}
