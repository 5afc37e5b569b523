#include "agent/llm/discover.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/core/buf.h"
#include "tests/agent/loopback_server.h"
#include "tests/support/unit.h"

enum { DEADLINE_MS = 20000 };

#define LIST(items) "HTTP/1.1 200 OK\r\n\r\n{\"object\":\"list\",\"data\":[" items "]}"

struct fixture {
    struct loop *loop;
    struct http_client *http;
    bool done;
    size_t count;
    char seen[256]; /* server model endpoint; for each */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_create(clock_system(), NULL);
    f->http = http_client_create(f->loop, "test", NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_client_destroy(f->http);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void on_done(void *self, const struct discovered *found)
{
    struct fixture *f = self;
    assert_false(f->done);
    f->done = true;
    f->count = found->count;
    for (size_t i = 0; i < found->count; i++) {
        const struct discovered_server *server = &found->servers[i];
        size_t length = strlen(f->seen);
        bool has_model = server->best_model < server->model_count;
        snprintf(f->seen + length, sizeof f->seen - length, "%s %s %zu;", server->server,
                 has_model ? server->models[server->best_model] : "-", server->model_count);
    }
}

static struct discovery *start(struct fixture *f, const struct discover_port *ports)
{
    struct discovery_handler handler = {f, on_done};
    struct discovery *discovery;
    struct error err = {0};
    if (discover_start(f->http, ports, &handler, &discovery, &err) < 0)
        fail_msg("%s", err.message);
    assert_false(f->done);
    return discovery;
}

static void servers_that_answer_are_found_in_their_order(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[] = {
        {.bytes = LIST("{\"id\":\"nomic-embed-text\"},{\"id\":\"qwen3:8b\"}")},
        {.bytes = "HTTP/1.1 200 OK\r\n\r\n<html>some other program</html>"},
        {.bytes = "HTTP/1.1 401 Unauthorized\r\n\r\n{\"data\":[{\"id\":\"m\"}]}"},
        {.bytes = LIST("")},
        {.bytes = LIST("{\"id\":\"a\"},{\"id\":\"two words\"},{\"id\":7},{},5")},
    };
    struct loopback_server *servers[COUNT(answers)];
    struct discover_port ports[COUNT(answers) + 2] = {{"nobody", loopback_unused_port()}};
    static const char *const names[] = {"ollama", "web", "locked", "empty", "odd"};
    for (size_t i = 0; i < COUNT(answers); i++) {
        servers[i] = loopback_server_start(&answers[i], 1);
        ports[i + 1] = (struct discover_port){names[i], loopback_server_port(servers[i])};
    }
    start(f, ports);
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (!f->done && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 1000, NULL);
    assert_true(f->done);
    assert_string_equal(f->seen, "ollama qwen3:8b 2;empty - 0;odd a 1;");
    for (size_t i = 0; i < COUNT(answers); i++) {
        loopback_server_stop(servers[i]);
        const char *request = loopback_server_request(servers[i], 0, NULL);
        assert_ptr_equal(strstr(request, "GET /v1/models HTTP/1.1\r\n"), request);
        loopback_server_destroy(servers[i]);
    }
}

static void a_server_that_does_not_answer_is_not_waited_for_long(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = "HTTP/1.1 200 OK\r\n\r\n{", .hangs = true};
    struct loopback_server *server = loopback_server_start(&answer, 1);
    struct discover_port ports[] = {{"slow", loopback_server_port(server)}, {NULL, 0}};
    start(f, ports);
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (!f->done && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 1000, NULL);
    assert_true(f->done);
    assert_int_equal(f->count, 0);
    loopback_server_destroy(server);
}

static void a_search_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    struct discover_port ports[] = {{"nobody", loopback_unused_port()}, {NULL, 0}};
    discover_cancel(start(f, ports));
    loop_run_once(f->loop, 50, NULL);
    assert_false(f->done);
}

static void the_usual_ports_are_known(void **state)
{
    (void)state;
    static const unsigned usual[] = {11434, 8080, 8000, 1234, 0};
    for (size_t i = 0; i < COUNT(usual); i++)
        assert_int_equal(discover_usual_ports[i].port, usual[i]);
}

static void lists_are_bounded(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = {0};
    struct discovered_server server = {.server = "many"};
    struct error err = {0};
    buf_append_text(&text, "{\"data\":[");
    for (int i = 0; i < 3 * DISCOVER_MODELS_MAX; i++)
        buf_printf(&text, "%s{\"id\":\"m%d\"}", i > 0 ? "," : "", i);
    buf_append_text(&text, "]}");
    assert_int_equal(discover_read_models(text.data, text.length, &server, &err), 0);
    assert_int_equal(server.model_count, DISCOVER_MODELS_MAX);
    discovered_server_clear(&server);
    assert_int_equal(discover_read_models("{\"data\":1}", 10, &server, &err), -1);
    assert_error(err, ERROR_INVALID, "list of models");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(servers_that_answer_are_found_in_their_order),
        TEST(a_server_that_does_not_answer_is_not_waited_for_long),
        TEST(a_search_can_be_cancelled),
        cmocka_unit_test(the_usual_ports_are_known),
        cmocka_unit_test(lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
