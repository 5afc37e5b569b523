/* front: the process that meets HTTP clients, without any privilege.
 *
 * Holds one loop, the HTTP server, the pools and the channel to the broker. docs/architecture.md,
 * "Processes".
 */
#pragma once

#include <stdbool.h>

#include "base/core/loop.h"
#include "base/http/http_server.h"
#include "sandboxd/api/config.h"
#include "sandboxd/api/front_pools.h"
#include "sandboxd/api/image.h"
#include "sandboxd/api/origin.h"
#include "sandboxd/identity/access.h"
#include "sandboxd/identity/identity.h"
#include "sandboxd/link/broker_link.h"
#include "sandboxd/pool/pool.h"

enum {
    /* On SIGTERM, executions that run get this long before they are answered without a result. */
    FRONT_STOP_GRACE_MS = 2000,
    /* After that, answers under way get this long to reach their clients. */
    FRONT_FLUSH_MS = 1000,
    FRONT_CONNECTIONS_MAX = 4096,
    FRONT_IDLE_TIMEOUT_S = 120,
    /* Of all answers that wait for their clients, small ones not counted. Four of the largest. */
    FRONT_ANSWER_BYTES_MAX = 1024 * 1024 * 1024,
    FRONT_SMALL_ANSWER_BYTES = 64 * 1024,
};

enum front_listener_kind { FRONT_HTTP, FRONT_HTTPS, FRONT_LISTENERS_MAX };

struct environments;

struct front {
    struct loop *loop;
    struct broker_link broker;
    struct front_pools pools;
    struct http_server *servers[FRONT_LISTENERS_MAX]; /* NULL until the broker has said hello */
    const struct front_arguments *arguments;
    int state_fd;              /* the state directory */
    struct identity *identity; /* NULL: no token is issued or verified */
    enum access_mode auth;
    struct roles roles;          /* taken from the configuration, and those of ARM */
    struct roles kept_roles;     /* those of ARM, as the state directory has them */
    bool kept_roles_are_unknown; /* its file cannot be read */
    struct origin_names names;
    struct api_settings api;
    struct environments *environments; /* launched over MCP */
    struct image image;                /* what sessions have; empty until a zygote has said it */
    struct watch signals;
    struct timer stop_timer;
    unsigned exchanges;    /* requests under way */
    uint64_t answer_bytes; /* of their answers */
    bool stopping;
};

/* Where clients connect. */
struct front_listener {
    int fd;
    const char *address; /* as the user gave it; "" when there is no such listener */
};

/* What the broker passes at start; borrowed. */
struct front_arguments {
    int broker_fd;
    int state_fd;
    const char *no_egress; /* see struct front_pools */
    struct front_listener listeners[FRONT_LISTENERS_MAX];
    struct server_certificate certificate; /* the user's own; NULL members: the authority's */
    enum access_mode auth;
    struct origin_names names; /* also in the certificate */
};

/* Serves until SIGTERM or until the broker is gone. Returns the exit status. */
int front_run(const struct front_arguments *arguments, struct config *config);

/* The pools of the configuration have had their ready instances. */
bool front_is_healthy(const struct front *front);

/* The key of the pool's MCP endpoint; NULL where that is not enabled. Borrowed for the request. */
const char *front_mcp_key(const struct pool *pool);
