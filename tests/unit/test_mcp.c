/* The MCP endpoint, asked over a socket, without sessions. */
#include "base/json/json.h"
#include "sandboxd/api/environments.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "tests/support/loopback.h"

enum { ANSWER_MAX = 64 * 1024 };

struct fixture {
    struct front front;
    const char *key;
    uint16_t port;
    char answer[ANSWER_MAX];
};

static void add_pool(struct front *front, const char *name, bool mcp_enabled)
{
    struct error err = {0};
    struct resource_id id = {0};
    assert_int_equal(resource_id_set(NULL, NULL, name, &id, &err), 0);
    struct pool_resource resource = pool_resource_default(&id);
    resource.mcp_enabled = mcp_enabled;
    assert_int_equal(front_pools_add(&front->pools, &resource, true, NULL, &err), 0);
}

static int open_front(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err = {0};
    struct http_server_options server = {.connections_max = 8, .idle_timeout_s = 10};
    struct http_handler handler = exchange_handler;
    struct pool_broker nobody = {0};
    f->front.auth = ACCESS_ANY;
    f->front.environments = environments_create();
    f->front.loop = loop_create(clock_system(), &err);
    front_pools_open(&f->front.pools, f->front.loop, &nobody, RESOURCE_STORE_NOTHING);
    add_pool(&f->front, "default", true);
    add_pool(&f->front, "without", false);
    if (mcp_keys_renew(&f->front.pools.keys, "default", &f->key, &err) < 0)
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
    environments_destroy(f->front.environments);
    loop_destroy(f->front.loop);
    free(f);
    return 0;
}

/* Returns the status; the answer is in f->answer from here on. */
static int ask(struct fixture *f, const char *method, const char *target, const char *headers,
               const char *body)
{
    AUTO_FREE char *request =
        xasprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s"
                  "Content-Length: %zu\r\n\r\n%s",
                  method, target, headers, strlen(body), body);
    return loopback_ask(f->front.loop, f->port, request, f->answer, sizeof f->answer);
}

static int post(struct fixture *f, const char *body)
{
    AUTO_FREE char *headers = xasprintf("x-ms-apikey: %s\r\n", f->key);
    return ask(f, "POST", "/mcp", headers, body);
}

static const char *body_of(const struct fixture *f)
{
    return strstr(f->answer, "\r\n\r\n") + 4;
}

static void the_key_is_asked_for_and_nothing_else_counts(void **state)
{
    struct fixture *f = *state;
    static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    AUTO_FREE char *bearer = xasprintf("Authorization: Bearer %s\r\n", f->key);
    AUTO_FREE char *longer = xasprintf("x-ms-apikey: %s0\r\n", f->key);
    assert_int_equal(ask(f, "POST", "/mcp", "", ping), 401);
    assert_null(strstr(f->answer, "WWW-Authenticate: Bearer"));
    assert_int_equal(ask(f, "POST", "/mcp", bearer, ping), 401);
    assert_int_equal(ask(f, "POST", "/mcp", longer, ping), 401);
    assert_int_equal(ask(f, "POST", "/mcp", "x-ms-apikey:\r\n", ping), 401);
    assert_int_equal(post(f, ping), 200);
    assert_string_equal(body_of(f), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

static void a_pool_without_the_endpoint_says_what_to_set(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, "POST", "/pools/without/mcp", "x-ms-apikey: a\r\n", "{}"), 404);
    assert_non_null(strstr(f->answer, "properties.mcpServerSettings.isMCPServerEnabled"));
}

static void other_methods_are_405(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *headers = xasprintf("x-ms-apikey: %s\r\n", f->key);
    assert_int_equal(ask(f, "GET", "/mcp", headers, ""), 405);
    assert_non_null(strstr(f->answer, "Allow: POST\r\n"));
    assert_int_equal(ask(f, "DELETE", "/mcp", headers, ""), 405);
}

static void a_launch_names_an_environment_and_makes_no_session(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/call\","
                             "\"params\":{\"name\":\"launchShell\"}}"),
                     200);
    assert_non_null(strstr(f->answer, "\"structuredContent\":{\"environmentId\":\""));
    assert_int_equal(f->front.pools.items[0]->pool->allocated_count, 0);
}

static void a_message_that_wants_no_answer_gets_202(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
                     202);
    assert_string_equal(body_of(f), "");
    assert_int_equal(post(f, "[{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]"), 202);
}

static void each_error_has_its_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {"", 400, "{\"code\":-32700,"},
        {"[]", 400, "{\"code\":-32600,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", 400, "\"id\":1,\"error\":{\"code\":-32600,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}", 200, "{\"code\":-32601,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", 200, "{\"code\":-32602,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"a\"}}",
         200, "{\"code\":-32602,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":[]}", 200,
         "{\"code\":-32602,"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(post(f, cases[i].body), cases[i].status);
        if (!strstr(body_of(f), cases[i].code))
            fail_msg("%s: %s", cases[i].body, body_of(f));
    }
}

static void a_batch_is_answered_in_its_order(void **state)
{
    struct fixture *f = *state;
    static const char batch[] = "[{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"},"
                                "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/a\"},"
                                "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"ping\"}]";
    assert_int_equal(post(f, batch), 200);
    assert_string_equal(body_of(f), "[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},"
                                    "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}]");
    AUTO_FREE char *headers =
        xasprintf("x-ms-apikey: %s\r\nMCP-Protocol-Version: 2025-06-18\r\n", f->key);
    assert_int_equal(ask(f, "POST", "/mcp", headers, batch), 400);
}

#define FRONT_TEST(test) cmocka_unit_test_setup_teardown(test, open_front, close_front)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRONT_TEST(the_key_is_asked_for_and_nothing_else_counts),
        FRONT_TEST(a_pool_without_the_endpoint_says_what_to_set),
        FRONT_TEST(other_methods_are_405),
        FRONT_TEST(a_launch_names_an_environment_and_makes_no_session),
        FRONT_TEST(a_message_that_wants_no_answer_gets_202),
        FRONT_TEST(each_error_has_its_code),
        FRONT_TEST(a_batch_is_answered_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
