#include <stdio.h>
#include <stdlib.h>

#include "agent/credential/plan.h"
#include "agent/credential/reply.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static const char *const variables[] = {
    "AZURE_CLIENT_ID",      "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",  "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",    "IDENTITY_HEADER",
    "AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
};

static int forget_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
    return 0;
}

#define SCOPE "https://dynamicsessions.io/.default"

static struct token_plan make(enum token_source source)
{
    struct token_plan plan;
    struct error err = {0};
    if (token_plan_make(source, SCOPE, &plan, &err) < 0)
        fail_msg("%s", err.message);
    return plan;
}

static void name_an_application(void)
{
    setenv("AZURE_CLIENT_ID", "app 1", 1);
    setenv("AZURE_TENANT_ID", "tenant", 1);
}

static void a_client_secret_is_posted_as_a_form(void **state)
{
    (void)state;
    name_an_application();
    setenv("AZURE_CLIENT_SECRET", "s&cret=", 1);

    struct token_plan plan = make(TOKEN_SECRET);

    assert_string_equal(plan.url, "https://login.microsoftonline.com/tenant/oauth2/v2.0/token");
    assert_string_equal(plan.body.data, "grant_type=client_credentials&client_id=app%201&scope="
                                        "https%3A%2F%2Fdynamicsessions.io%2F.default&client_secret="
                                        "s%26cret%3D");
    token_plan_clear(&plan);
}

static void a_federated_token_is_read_from_its_file_each_time(void **state)
{
    (void)state;
    char path[] = "/tmp/sandpool-test-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "aaa.bbb.ccc\n", 12), 12);
    close(fd);
    name_an_application();
    setenv("AZURE_FEDERATED_TOKEN_FILE", path, 1);
    setenv("AZURE_AUTHORITY_HOST", "https://login.example/", 1);

    struct token_plan plan = make(TOKEN_WORKLOAD);

    assert_string_equal(plan.url, "https://login.example/tenant/oauth2/v2.0/token");
    assert_non_null(strstr(plan.body.data, "&client_assertion=aaa.bbb.ccc"));
    token_plan_clear(&plan);
    unlink(path);
    struct error err = {0};
    assert_int_equal(token_plan_make(TOKEN_WORKLOAD, SCOPE, &plan, &err), -1);
    assert_error(err, ERROR_MISSING, "AZURE_FEDERATED_TOKEN_FILE");
}

static void a_managed_identity_is_asked_with_its_header(void **state)
{
    (void)state;
    setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi?x=1", 1);
    setenv("IDENTITY_HEADER", "key", 1);
    setenv("AZURE_CLIENT_ID", "id", 1);

    struct token_plan plan = make(TOKEN_MANAGED);

    assert_string_equal(plan.url, "http://127.0.0.1:1/msi?x=1&api-version=2019-08-01&resource="
                                  "https%3A%2F%2Fdynamicsessions.io&client_id=id");
    assert_string_equal(plan.header, "X-IDENTITY-HEADER: key");
    assert_int_equal(plan.body.length, 0);
    token_plan_clear(&plan);
}

static void programs_are_called_by_arguments(void **state)
{
    (void)state;
    setenv("AZURE_TENANT_ID", "; rm -rf", 1);
    struct token_plan plan = make(TOKEN_AZURE_CLI);
    assert_string_equal(plan.arguments[0], "az");
    assert_string_equal(plan.arguments[6], "https://dynamicsessions.io");
    assert_string_equal(plan.arguments[8], "; rm -rf");
    assert_null(plan.arguments[9]);
    token_plan_clear(&plan);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct {
        enum token_source source;
        const char *set, *word;
        enum error_code code;
    } cases[] = {
        {TOKEN_SECRET, "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET is not set", ERROR_MISSING},
        {TOKEN_SECRET, "AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID is not set", ERROR_MISSING},
        {TOKEN_WORKLOAD, "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", ERROR_MISSING},
        {TOKEN_MANAGED, "IDENTITY_ENDPOINT", "IDENTITY_HEADER is not set", ERROR_MISSING},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token_plan plan;
        struct error err = {0};
        forget_environment(NULL);
        setenv(cases[i].set, "x", 1);

        assert_int_equal(token_plan_make(cases[i].source, SCOPE, &plan, &err), -1);

        assert_error(err, cases[i].code, cases[i].word);
    }
}

static void a_secret_does_not_travel_in_the_clear(void **state)
{
    (void)state;
    struct token_plan plan;
    struct error err = {0};
    name_an_application();
    setenv("AZURE_CLIENT_SECRET", "hidden", 1);
    setenv("AZURE_AUTHORITY_HOST", "http://login.example", 1);

    assert_int_equal(token_plan_make(TOKEN_SECRET, SCOPE, &plan, &err), -1);

    assert_error(err, ERROR_INVALID, "AZURE_AUTHORITY_HOST must be https");
    assert_null(strstr(err.message, "hidden"));
}

/* ---- replies ---- */

static void each_form_of_expiry_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        int64_t expires_s;
    } cases[] = {
        {"{\"access_token\":\"t\",\"expires_in\":3599}", 1000 + 3599},
        {"{\"access_token\":\"t\",\"expires_in\":\"3599\"}", 1000 + 3599},
        {"{\"access_token\":\"t\",\"expires_on\":\"1586984735\"}", 1586984735},
        {"{\"access_token\":\"t\",\"expires_on\":1586984735}", 1586984735},
        {"{\"access_token\":\"t\",\"expires_on\":\"06/20/2019 02:57:58 +00:00\"}", 1560999478},
        {"{\"accessToken\":\"t\",\"expiresOn\":\"2020-01-01 "
         "00:00:00.000000\",\"expires_on\":1577836800}",
         1577836800},
        {"{\"accessToken\":\"t\",\"expiresOn\":\"2020-01-01 00:00:00.123456\"}", 1577836800},
        {"{\"token\":\"t\",\"expiresOn\":\"2020-01-01T00:00:00Z\"}", 1577836800},
        {"{\"token\":\"t\",\"expiresOn\":\"some day\"}", 1000 + TOKEN_LIFETIME_UNKNOWN_S},
        {"{\"token\":\"t\"}", 1000 + TOKEN_LIFETIME_UNKNOWN_S},
    };
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token_reply reply = {0};
        struct error err = {0};
        if (token_reply_read(cases[i].reply, strlen(cases[i].reply), 1000, &reply, &err) < 0)
            fail_msg("%s: %s", cases[i].reply, err.message);
        assert_string_equal(reply.token, "t");
        if (reply.expires_s != cases[i].expires_s)
            fail_msg("%s: %lld", cases[i].reply, (long long)reply.expires_s);
        token_reply_clear(&reply);
    }
}

static void what_is_not_a_token_is_refused(void **state)
{
    (void)state;
    static const char *const replies[] = {"",
                                          "null",
                                          "[]",
                                          "{}",
                                          "{\"access_token\":7}",
                                          "{\"access_token\":\"\"}",
                                          "{\"access_token\":\"a\\nb\"}",
                                          "ERROR: Please run 'az login'"};
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct token_reply reply = {0};
        struct error err = {0};
        assert_int_equal(token_reply_read(replies[i], strlen(replies[i]), 0, &reply, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_null(reply.token);
    }
}

static void a_refusal_keeps_its_words_and_no_secret(void **state)
{
    (void)state;
    static const char reply[] =
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid secret "
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0 for "
        "12345678-1234-1234-1234-123456789012\"}";
    struct error err = {0};
    token_reply_refusal(401, reply, strlen(reply), &err);
    assert_error(err, ERROR_DENIED,
                 "it answered 401 invalid_client: AADSTS7000215: Invalid secret *** for "
                 "12345678-1234-1234-1234-123456789012");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_client_secret_is_posted_as_a_form, forget_environment),
        cmocka_unit_test_setup(a_federated_token_is_read_from_its_file_each_time,
                               forget_environment),
        cmocka_unit_test_setup(a_managed_identity_is_asked_with_its_header, forget_environment),
        cmocka_unit_test_setup(programs_are_called_by_arguments, forget_environment),
        cmocka_unit_test_setup(what_is_missing_is_named, forget_environment),
        cmocka_unit_test_setup(a_secret_does_not_travel_in_the_clear, forget_environment),
        cmocka_unit_test(each_form_of_expiry_is_understood),
        cmocka_unit_test(what_is_not_a_token_is_refused),
        cmocka_unit_test(a_refusal_keeps_its_words_and_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
