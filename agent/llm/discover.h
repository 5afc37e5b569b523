/* discover: model servers of this machine, on the ports that they usually have.
 *
 * For when nothing is configured. Each port of the loopback address is asked for its list of
 * models, all at once and for a second at most; whoever listens there and is no model server is
 * passed over.
 */
#pragma once

#include "base/core/cleanup.h"
#include "base/core/error.h"
#include "base/http/http_client.h"

enum {
    DISCOVER_SERVERS_MAX = 8,
    DISCOVER_MODELS_MAX = 64,      /* of one server; the rest is not kept (our limit) */
    DISCOVER_NAME_BYTES_MAX = 256, /* of a model; longer ones are passed over (our limit) */
};

struct discover_port {
    const char *server; /* what usually listens there */
    unsigned port;
};
/* Ollama, llama.cpp, vLLM and LM Studio; ends with port 0. */
extern const struct discover_port discover_usual_ports[];

struct discovered_server {
    const char *server; /* of the port, not of what it says */
    char endpoint[48];  /* for model_settings: "http://127.0.0.1:11434/v1" */
    char *models[DISCOVER_MODELS_MAX];
    size_t model_count;
    size_t best_model; /* the first that is not for embeddings; model_count: none */
};

/* Those that answered, in the order of the ports. */
struct discovered {
    struct discovered_server servers[DISCOVER_SERVERS_MAX];
    size_t count;
};

struct discovery; /* under way */

struct discovery_handler {
    void *self;
    /* Called once, never from inside discover_start. `found` is freed afterwards. */
    void (*on_done)(void *self, const struct discovered *found);
};

/* ports ends with port 0; borrowed until on_done. ERROR_SYSTEM: nothing could be asked. */
int discover_start(struct http_client *http, const struct discover_port *ports,
                   const struct discovery_handler *handler, struct discovery **ret_discovery,
                   struct error *err);
/* on_done is not called. */
void discover_cancel(struct discovery *discovery);

/* The names in the answer of GET {base}/models. ERROR_INVALID: it is no list of models. */
int discover_read_models(const char *data, size_t length, struct discovered_server *server,
                         struct error *err);
void discovered_server_clear(struct discovered_server *server);
