#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/credential/identity.h"
#include "base/core/cleanup.h"
#include "tests/agent/loopback_server.h"
#include "tests/support/unit.h"

enum { DEADLINE_MS = 20000 };
#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct identity *identity;
    struct loopback_server *server;
    char token[64];
    struct error failure;
    unsigned answers;
    struct credential_wait wait;
};

static int set_up(void **state)
{
    static const char *const variables[] = {
        "AZURE_CLIENT_ID",   "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_AUTHORITY_HOST"};
    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1", 1);
    setenv("PATH", "/nonexistent", 1);
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_create(clock_system(), NULL);
    f->http = http_client_create(f->loop, "test", NULL);
    f->identity = identity_create(f->loop, f->http, false);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    identity_destroy(f->identity);
    http_client_destroy(f->http);
    loopback_server_destroy(f->server);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void on_token(void *self, const char *token, const struct error *failure)
{
    struct fixture *f = self;
    f->answers++;
    snprintf(f->token, sizeof f->token, "%s", token ? token : "");
    f->failure = failure ? *failure : (struct error){0};
}

static void ask(struct fixture *f, const char *scope, bool fresh)
{
    struct credential credential = identity_credential(f->identity);
    unsigned before = f->answers;
    f->wait = (struct credential_wait){.self = f, .on_token = on_token};
    credential_ask(&credential, scope, fresh, &f->wait);
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (f->answers == before && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 100, NULL);
    assert_int_equal(f->answers, before + 1);
}

static void serve(struct fixture *f, const struct loopback_answer *answers, size_t count)
{
    char url[64];
    f->server = loopback_server_start(answers, count);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/msi/token", loopback_server_port(f->server));
    setenv("IDENTITY_ENDPOINT", url, 1);
    setenv("IDENTITY_HEADER", "key", 1);
}

static void a_token_is_kept_by_scope_and_renewed_when_it_was_refused(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answers[] = {
        {.bytes = JSON_HEAD "{\"access_token\":\"pool-1\",\"expires_on\":\"99999999999\"}"},
        {.bytes = JSON_HEAD "{\"access_token\":\"model-1\",\"expires_on\":\"99999999999\"}"},
        {.bytes = JSON_HEAD "{\"access_token\":\"pool-2\",\"expires_on\":\"99999999999\"}"},
    };
    serve(f, answers, 3);

    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_string_equal(f->token, "pool-1");
    ask(f, CREDENTIAL_SCOPE_MODEL, false);
    assert_string_equal(f->token, "model-1");
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_string_equal(f->token, "pool-1");
    ask(f, CREDENTIAL_SCOPE_POOL, true);
    assert_string_equal(f->token, "pool-2");

    loopback_server_stop(f->server);
    assert_int_equal(loopback_server_requests(f->server), 3);
    const char *request = loopback_server_request(f->server, 0, NULL);
    assert_non_null(strstr(request, "X-IDENTITY-HEADER: key"));
    assert_non_null(strstr(request, "resource=https%3A%2F%2Fdynamicsessions.io"));
    assert_string_equal(identity_source(f->identity), "managed identity");
}

static void one_that_expires_soon_is_renewed_before_it_does(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answers[] = {
        {.bytes = JSON_HEAD "{\"access_token\":\"one\",\"expires_in\":299}"},
        {.bytes = JSON_HEAD "{\"access_token\":\"two\",\"expires_in\":3600}"},
    };
    serve(f, answers, 2);

    ask(f, CREDENTIAL_SCOPE_POOL, false);
    ask(f, CREDENTIAL_SCOPE_POOL, false);

    assert_string_equal(f->token, "two");
}

static void a_busy_source_is_asked_again(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answers[] = {
        {.bytes = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"},
        {.bytes = JSON_HEAD "{\"access_token\":\"late\",\"expires_in\":3600}"},
    };
    serve(f, answers, 2);
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_string_equal(f->token, "late");
}

static void the_failure_of_a_source_that_is_named_is_told(void **state)
{
    struct fixture *f = *state;
    const struct loopback_answer answer = {.bytes =
                                               "HTTP/1.1 400 Bad "
                                               "Request\r\n\r\n{\"error\":{\"code\":\"invalid_"
                                               "resource\",\"message\":\"no such identity\"}}"};
    serve(f, &answer, 1);
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_string_equal(f->token, "");
    assert_error(f->failure, ERROR_DENIED,
                 "managed identity: it answered 400 invalid_resource: no such identity");
    assert_null(strstr(f->failure.message, "Azure CLI"));
}

static void without_any_source_the_error_lists_them(void **state)
{
    struct fixture *f = *state;
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_error(f->failure, ERROR_DENIED, "AZURE_CLIENT_SECRET is not set");
    assert_error(f->failure, ERROR_DENIED, "there is no program \"az\"");
}

/* A directory with a program "az" that does this, as the whole of PATH. */
static void install_az(const char *script)
{
    static char directory[] = "/tmp/sandpool-test-XXXXXX";
    char path[64];
    if (strstr(directory, "XXXXXX"))
        assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/az", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    chmod(path, 0755);
    setenv("PATH", directory, 1);
}

static void the_command_line_program_is_asked_last(void **state)
{
    struct fixture *f = *state;
    install_az(
        "case \"$PWD $*\" in */bin\\ account\\ get-access-token\\ --output\\ json\\ --resource\\ "
        "https://dynamicsessions.io) ;; *) exit 1 ;; esac; [ \"$AZURE_CORE_NO_COLOR\" = true ] && "
        "echo '{\"accessToken\":\"from-az\",\"expires_on\":99999999999}'");
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_string_equal(f->token, "from-az");
    assert_string_equal(identity_source(f->identity), "Azure CLI");
}

static void what_the_program_says_is_told_without_secrets(void **state)
{
    struct fixture *f = *state;
    install_az("echo 'Please run az login "
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' >&2; exit 1");
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_error(f->failure, ERROR_DENIED, "az failed: Please run az login ***");
}

static void a_wait_that_was_cancelled_is_not_called(void **state)
{
    struct fixture *f = *state;
    install_az("echo '{\"accessToken\":\"from-az\"}'");
    struct credential credential = identity_credential(f->identity);
    struct credential_wait wait = {.self = f, .on_token = on_token};
    credential_ask(&credential, CREDENTIAL_SCOPE_POOL, false, &wait);
    credential_cancel(&wait);
    ask(f, CREDENTIAL_SCOPE_POOL, false);
    assert_int_equal(f->answers, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_kept_by_scope_and_renewed_when_it_was_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_expires_soon_is_renewed_before_it_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_busy_source_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_failure_of_a_source_that_is_named_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_any_source_the_error_lists_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_command_line_program_is_asked_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_program_says_is_told_without_secrets, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wait_that_was_cancelled_is_not_called, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
