/* The token endpoints and the check of tokens, asked over a socket, without sessions. */
#include <time.h>

#include "base/json/json.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/identity/jwt.h"
#include "sandboxd/identity/subject.h"
#include "tests/support/loopback.h"
#include "tests/support/state_directory.h"

enum { ANSWER_MAX = 128 * 1024 };

struct fixture {
    void *directory;
    struct front front;
    uint16_t port;
    char answer[ANSWER_MAX];
};

static int open_front(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err = {0};
    struct identity_options options = {.now_s = time(NULL)};
    struct http_server_options server = {.connections_max = 8, .idle_timeout_s = 10};
    struct http_handler handler = exchange_handler;
    const struct resource_id id = {.name = "default"};
    struct pool_resource resource = pool_resource_default(&id);
    struct pool_broker nobody = {0};
    if (state_directory_open(&f->directory) < 0 ||
        identity_open(((struct state_directory *)f->directory)->fd, &options, &f->front.identity,
                      &err) < 0)
        return -1;
    f->front.auth = ACCESS_JWT;
    f->front.loop = loop_create(clock_system(), &err);
    front_pools_open(&f->front.pools, f->front.loop, &nobody, RESOURCE_STORE_NOTHING);
    if (front_pools_add(&f->front.pools, &resource, true, NULL, &err) < 0)
        return -1;
    server.listen_fd = loopback_listen(&f->port);
    handler.self = &f->front;
    f->front.servers[FRONT_HTTP] = http_server_create(f->front.loop, &server, &handler, &err);
    *state = f;
    return f->front.servers[FRONT_HTTP] ? 0 : -1;
}

static int close_front(void **state)
{
    struct fixture *f = *state;
    http_server_destroy(f->front.servers[FRONT_HTTP]);
    front_pools_close(&f->front.pools);
    loop_destroy(f->front.loop);
    identity_destroy(f->front.identity);
    roles_clear(&f->front.roles);
    int result = state_directory_close(&f->directory);
    free(f);
    return result;
}

/* Returns the status; the answer is in f->answer from here on. */
static int ask(struct fixture *f, const char *request)
{
    return loopback_ask(f->front.loop, f->port, request, f->answer, sizeof f->answer);
}

static int get(struct fixture *f, const char *target, const char *header)
{
    AUTO_FREE char *request = xasprintf("GET %s HTTP/1.1\r\nHost: localhost:8901\r\n%s%s"
                                        "Connection: close\r\n\r\n",
                                        target, header ? header : "", header ? "\r\n" : "");
    return ask(f, request);
}

static int post_form(struct fixture *f, const char *target, const char *form)
{
    AUTO_FREE char *request = xasprintf(
        "POST %s HTTP/1.1\r\nHost: localhost:8901\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
        target, strlen(form), form);
    return ask(f, request);
}

static json_t *body_of(struct fixture *f)
{
    struct error err = {0};
    json_t *object = NULL;
    const char *body = strstr(f->answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(json_parse(body + 4, strlen(body + 4), JSON_BYTES_MAX, &object, &err), 0);
    return object;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

#define RESOURCE "resource=https%3A%2F%2Fdynamicsessions.io"
#define SCOPE    "scope=https%3A%2F%2Fdynamicsessions.io%2F.default"
#define FILES    "/files?api-version=2025-10-02-preview"

static void the_identity_endpoint_wants_its_secret(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *right = xasprintf("x-identity-header: %s", f->front.identity->header);
    static const char target[] = "/msi/token?api-version=2019-08-01&" RESOURCE;
    assert_int_equal(get(f, target, NULL), 401);
    assert_int_equal(get(f, target, "x-identity-header: x"), 401);
    assert_non_null(strstr(f->answer, "WWW-Authenticate: Bearer"));
    assert_int_equal(get(f, "/msi/token?api-version=2019-08-01", right), 400);
    assert_int_equal(get(f, "/msi/token?resource=https%3A%2F%2Fvault.azure.net", right), 400);
    assert_int_equal(get(f, target, right), 200);
    assert_non_null(strstr(f->answer, "Cache-Control: no-store"));
    AUTO_JSON json_t *answer = body_of(f);
    assert_string_equal(text_of(answer, "client_id"), SUBJECT_CLIENT_ID);
    assert_true(*text_of(answer, "access_token"));
}

static void the_machines_endpoint_wants_its_header(void **state)
{
    struct fixture *f = *state;
    static const char target[] = "/metadata/identity/oauth2/token?api-version=2018-02-01&" RESOURCE;
    assert_int_equal(get(f, target, NULL), 400);
    assert_int_equal(get(f, target, "Metadata: true"), 200);
    AUTO_JSON json_t *answer = body_of(f);
    assert_string_equal(text_of(answer, "expires_in"), "86400");
}

static void a_client_finds_the_authority_and_gets_a_token(void **state)
{
    struct fixture *f = *state;
    static const char form[] = "client_id=aaaaaaaa-0000-0000-0000-000000000001&" SCOPE
                               "&grant_type=client_credentials&client_secret=a+b&x-client-SKU=x";
    assert_int_equal(get(f, "/common/discovery/instance?api-version=1.1", NULL), 200);
    assert_int_equal(get(f, "/a-tenant/v2.0/.well-known/openid-configuration", NULL), 200);
    AUTO_JSON json_t *document = body_of(f);
    assert_string_equal(text_of(document, "token_endpoint"),
                        "http://localhost:8901/a-tenant/oauth2/v2.0/token");
    assert_int_equal(get(f, "/adfs/.well-known/openid-configuration", NULL), 200);
    assert_int_equal(get(f, "/a-tenant/discovery/v2.0/keys", NULL), 200);
    assert_non_null(strstr(f->answer, issuer_key_id(f->front.identity->issuer)));
    assert_int_equal(post_form(f, "/a-tenant/oauth2/v2.0/token?client-request-id=x", form), 200);
    AUTO_JSON json_t *answer = body_of(f);
    assert_int_equal(json_integer_value(json_object_get(answer, "expires_in")), 3599);

    assert_int_equal(post_form(f, "/t/oauth2/v2.0/token", "grant_type=password"), 400);
    assert_int_equal(post_form(f, "/t/oauth2/v2.0/token", "%zz"), 400);
    assert_int_equal(
        post_form(f, "/t/oauth2/v2.0/token", "grant_type=client_credentials&client_id=a&" SCOPE),
        401);
}

/* A header with a token of the daemon's own for that audience. returned */
static char *authorization_for(const struct fixture *f, const char *audience)
{
    struct error err = {0};
    struct jwt_claims claims;
    struct subject nobody = {0};
    AUTO_BUF struct buf token = {0};
    assert_int_equal(
        subject_fill_claims(&nobody, "https://dynamicsessions.io", time(NULL), 60, &claims, &err),
        0);
    snprintf(claims.aud, sizeof claims.aud, "%s", audience);
    assert_int_equal(jwt_sign(f->front.identity->issuer, &claims, &token, &err), 0);
    return xasprintf("Authorization: Bearer %s", token.data);
}

static void what_is_checked_is_said_when_it_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    AUTO_FREE char *wrong = authorization_for(f, "https://graph.microsoft.com");
    /* The endpoint itself is an audience: Azure's management libraries ask for one like it. */
    AUTO_FREE char *right = authorization_for(f, "http://localhost:8901/");

    assert_int_equal(get(f, FILES, NULL), 401);
    assert_non_null(strstr(f->answer, "WWW-Authenticate: Bearer"));
    assert_int_equal(get(f, FILES, "Authorization: Bearer local"), 401);
    assert_int_equal(get(f, FILES, wrong), 401);
    assert_non_null(strstr(f->answer, "https://graph.microsoft.com"));
    assert_int_equal(get(f, FILES, right), 400); /* it has no identifier: it passed */
    f->front.roles.enabled = true;
    assert_int_equal(get(f, FILES, right), 403);
    assert_non_null(strstr(f->answer, ROLE_SESSION_EXECUTOR));
    assert_int_equal(roles_put(&f->front.roles, SUBJECT_TENANT, SUBJECT_OBJECT_ID,
                               ROLE_SESSION_EXECUTOR, "/subscriptions/local", NULL, &err),
                     0);
    assert_int_equal(get(f, FILES, right), 400);
    assert_int_equal(
        get(f, "/subscriptions/other/resourceGroups/g/sessionPools/default" FILES, right), 403);
    assert_int_equal(get(f, "/health", NULL), 503); /* open to anybody; no session is ready */
}

/* A pool without a resource id is of whatever group the path names, but of one group only: a slash
 * that was percent-encoded does not make the path go through somebody's scope. */
static void an_encoded_slash_leads_into_no_scope(void **state)
{
    static const char inside[] =
        "/subscriptions/s%2FresourceGroups%2Fg%2Fproviders%2FMicrosoft.App"
        "%2FsessionPools%2Fmine/resourceGroups/g/sessionPools/default" FILES;
    struct fixture *f = *state;
    struct error err = {0};
    AUTO_FREE char *right = authorization_for(f, "https://dynamicsessions.io");
    f->front.roles.enabled = true;
    assert_int_equal(
        roles_put(&f->front.roles, SUBJECT_TENANT, SUBJECT_OBJECT_ID, ROLE_SESSION_EXECUTOR,
                  "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/sessionPools/mine",
                  NULL, &err),
        0);
    assert_int_equal(get(f, "/subscriptions/s/resourceGroups/g/sessionPools/default" FILES, right),
                     403);
    assert_int_equal(get(f, inside, right), 403);
}

static void answers_that_nobody_reads_have_a_bound(void **state)
{
    static const char pool[] = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App"
                               "/sessionPools/default?api-version=2025-07-01";
    struct fixture *f = *state;
    f->front.auth = ACCESS_NONE;
    AUTO_FREE char *word = xcalloc(FRONT_SMALL_ANSWER_BYTES + 1, 1);
    memset(word, 'a', FRONT_SMALL_ANSWER_BYTES);
    f->front.pools.items[0]->resource.tags = xasprintf("{\"a\":\"%s\"}", word);
    assert_int_equal(get(f, pool, NULL), 200);
    assert_int_equal(f->front.answer_bytes, 0);

    f->front.answer_bytes = FRONT_ANSWER_BYTES_MAX - FRONT_SMALL_ANSWER_BYTES;
    assert_int_equal(get(f, pool, NULL), 503);
    assert_non_null(strstr(f->answer, "Retry-After"));
    assert_int_equal(get(f, "/t/discovery/v2.0/keys", NULL), 200); /* a small one */
    assert_int_equal(f->front.answer_bytes, FRONT_ANSWER_BYTES_MAX - FRONT_SMALL_ANSWER_BYTES);
}

#define FRONT_TEST(test) cmocka_unit_test_setup_teardown(test, open_front, close_front)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRONT_TEST(the_identity_endpoint_wants_its_secret),
        FRONT_TEST(the_machines_endpoint_wants_its_header),
        FRONT_TEST(a_client_finds_the_authority_and_gets_a_token),
        FRONT_TEST(what_is_checked_is_said_when_it_is_refused),
        FRONT_TEST(an_encoded_slash_leads_into_no_scope),
        FRONT_TEST(answers_that_nobody_reads_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
