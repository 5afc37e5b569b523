/* front: the process that meets HTTP clients, without any privilege.
 *
 * Holds one loop, the HTTP server, the pools and the channel to the broker. docs/architecture.md,
 * "Processes".
 */
#pragma once

#include <stdbool.h>

#include "base/core/loop.h"
#include "base/http/http_server.h"
#include "sandboxd/api/broker_link.h"
#include "sandboxd/api/config.h"
#include "sandboxd/identity/access.h"
#include "sandboxd/identity/identity.h"
#include "sandboxd/pool/pool.h"

enum {
    /* On SIGTERM, executions that run get this long before they are answered without a result. */
    FRONT_STOP_GRACE_MS = 2000,
    /* After that, answers under way get this long to reach their clients. */
    FRONT_FLUSH_MS = 1000,
    FRONT_CONNECTIONS_MAX = 4096,
    FRONT_IDLE_TIMEOUT_S = 120,
};

struct front_pool {
    struct front *front;
    struct pool *pool;
    struct timer wake;
};

struct front {
    struct loop *loop;
    struct broker_link broker;
    struct front_pool pools[CONFIG_POOLS_MAX];
    size_t pool_count;
    struct http_server *server; /* NULL until the broker has said hello */
    int listen_fd;
    const char *address;
    struct identity *identity; /* NULL: no token is issued or verified */
    enum access_mode auth;
    struct roles roles;
    struct api_settings api;
    struct watch signals;
    struct timer stop_timer;
    unsigned exchanges; /* requests under way */
    bool stopping;
};

/* What the broker passes at start. */
struct front_arguments {
    int broker_fd;
    int listen_fd;
    const char *address; /* for messages */
};

/* Serves until SIGTERM or until the broker is gone. Returns the exit status. */
int front_run(const struct front_arguments *arguments, const struct config *config);

/* NULL: the default pool, which is the one of that name or else the first. Names match in any case.
 */
struct pool *front_find_pool(struct front *front, const char *name);
/* Every pool has had its ready instances. */
bool front_is_healthy(const struct front *front);
