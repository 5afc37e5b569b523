#include "agent/llm/discover.h"

#include <stdio.h>
#include <string.h>

#include "base/core/buf.h"
#include "base/json/json.h"

enum {
    ANSWER_BYTES_MAX = 1024 * 1024, /* a list of models has some kilobytes */
    ANSWER_TIMEOUT_MS = 1000,       /* this machine answers at once or not at all */
};

const struct discover_port discover_usual_ports[] = {
    {"Ollama", 11434}, {"llama.cpp", 8080}, {"vLLM", 8000}, {"LM Studio", 1234}, {NULL, 0}};

/* One port being asked. */
struct probe {
    struct discovery *discovery;
    struct http_exchange *exchange; /* NULL: it has ended */
    struct buf answer;
    struct discovered_server server;
    bool is_found;
};

struct discovery {
    struct discovery_handler handler;
    struct probe probes[DISCOVER_SERVERS_MAX];
    size_t probe_count;
    size_t running;
};

/* ---- the list ---- */

void discovered_server_clear(struct discovered_server *server)
{
    for (size_t i = 0; i < server->model_count; i++)
        free(server->models[i]);
    server->model_count = 0;
}

/* Whatever a name is shown in or sent with stays one line. */
static bool is_model_name(json_t *value)
{
    const char *name = json_string_value(value);
    if (!name || !*name || json_string_length(value) > DISCOVER_NAME_BYTES_MAX)
        return false;
    for (; *name; name++) {
        if ((unsigned char)*name <= ' ' || (unsigned char)*name == 0x7f)
            return false;
    }
    return true;
}

static size_t find_best(const struct discovered_server *server)
{
    for (size_t i = 0; i < server->model_count; i++) {
        if (!strcasestr(server->models[i], "embed"))
            return i;
    }
    return server->model_count;
}

int discover_read_models(const char *data, size_t length, struct discovered_server *server,
                         struct error *err)
{
    AUTO_JSON json_t *root = NULL;
    if (json_parse(data, length, ANSWER_BYTES_MAX, &root, err) < 0)
        return -1;
    json_t *list = json_object_get(root, "data");
    if (!json_is_array(list))
        return error_set(err, ERROR_INVALID, "data: must be a list of models");
    for (size_t i = 0; i < json_array_size(list) && server->model_count < DISCOVER_MODELS_MAX;
         i++) {
        json_t *id = json_object_get(json_array_get(list, i), "id");
        if (is_model_name(id))
            server->models[server->model_count++] = xstrdup(json_string_value(id));
    }
    server->best_model = find_best(server);
    return 0;
}

/* ---- asking ---- */

static void discovery_free(struct discovery *discovery)
{
    for (size_t i = 0; i < discovery->probe_count; i++) {
        buf_free(&discovery->probes[i].answer);
        discovered_server_clear(&discovery->probes[i].server);
    }
    free(discovery);
}

static void end_discovery(struct discovery *discovery)
{
    struct discovered found = {.count = 0};
    for (size_t i = 0; i < discovery->probe_count; i++) {
        if (discovery->probes[i].is_found)
            found.servers[found.count++] = discovery->probes[i].server;
    }
    discovery->handler.on_done(discovery->handler.self, &found);
    discovery_free(discovery);
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    (void)exchange;
    struct probe *probe = self;
    if (!buf_append(&probe->answer, data, length))
        return error_set(err, ERROR_LIMIT, "the list of models is too long");
    return 0;
}

static void on_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct probe *probe = self;
    struct error ignored = {0};
    probe->exchange = NULL;
    if (!failure && http_exchange_status(exchange) == 200 && probe->answer.length > 0)
        probe->is_found = discover_read_models(probe->answer.data, probe->answer.length,
                                               &probe->server, &ignored) == 0;
    if (--probe->discovery->running == 0)
        end_discovery(probe->discovery);
}

static int start_probe(struct http_client *http, struct probe *probe, struct error *err)
{
    AUTO_FREE char *url = xasprintf("%s/models", probe->server.endpoint);
    struct http_exchange_options options = {.method = "GET",
                                            .url = url,
                                            .answer_bytes_max = ANSWER_BYTES_MAX,
                                            .connect_timeout_ms = ANSWER_TIMEOUT_MS,
                                            .total_timeout_ms = ANSWER_TIMEOUT_MS};
    struct http_exchange_handler handler = {.self = probe, .on_data = on_data, .on_done = on_done};
    return http_client_start(http, &options, &handler, &probe->exchange, err);
}

int discover_start(struct http_client *http, const struct discover_port *ports,
                   const struct discovery_handler *handler, struct discovery **ret_discovery,
                   struct error *err)
{
    struct discovery *discovery = xcalloc(1, sizeof *discovery);
    discovery->handler = *handler;
    for (; ports->port && discovery->probe_count < DISCOVER_SERVERS_MAX; ports++) {
        struct probe *probe = &discovery->probes[discovery->probe_count++];
        probe->discovery = discovery;
        probe->answer.limit = ANSWER_BYTES_MAX;
        probe->server.server = ports->server;
        snprintf(probe->server.endpoint, sizeof probe->server.endpoint, "http://127.0.0.1:%u/v1",
                 ports->port);
        if (start_probe(http, probe, err) == 0)
            discovery->running++;
    }
    if (discovery->running == 0) {
        discovery_free(discovery);
        return -1;
    }
    *ret_discovery = discovery;
    return 0;
}

void discover_cancel(struct discovery *discovery)
{
    for (size_t i = 0; i < discovery->probe_count; i++) {
        if (discovery->probes[i].exchange)
            http_exchange_cancel(discovery->probes[i].exchange);
    }
    discovery_free(discovery);
}
