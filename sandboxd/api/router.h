/* router: from method and path to the operation.
 *
 * One table lists every operation. A pool is named in three forms: the service's own prefix
 * /subscriptions/S/resourceGroups/G/sessionPools/POOL, the short /pools/POOL, and nothing at all
 * for the default pool; an /identifier/ID behind it is ignored. docs/api.md, "Paths".
 */
#pragma once

#include <stdbool.h>

#include "base/http/http_target.h"
#include "base/json/wire.h"
#include "sandboxd/api/dialect.h"

struct exchange;

enum route_body {
    ROUTE_BODY_NONE,   /* handled when the request is complete */
    ROUTE_BODY_WHOLE,  /* handled with the whole body, at most JSON_BYTES_MAX */
    ROUTE_BODY_STREAM, /* handled at the head; the handler takes the body as it comes */
};

/* What a request must bring. */
enum route_plane {
    PLANE_DATA,   /* a pool, an api-version, a token for the data plane */
    PLANE_LEGACY, /* the same, but without an api-version it is the operation's first */
    PLANE_MCP,    /* a pool and the key of its MCP endpoint */
    PLANE_ARM,    /* an api-version, and a token for the control plane with a role */
    PLANE_ACCESS, /* the same, with the role that may give roles */
    PLANE_TENANT, /* the same, without a role: what a client asks before it knows a scope */
    PLANE_OPEN,   /* nothing */
};

enum { ROUTE_BY_VERSION = -1 }; /* instead of an enum wire_generation */

struct route {
    const char *method;
    const char *pattern;    /* "{}" stands for one segment, "{name}" for one or more */
    int generation;         /* enum wire_generation or ROUTE_BY_VERSION */
    enum api_version since; /* the first version that has it */
    enum route_plane plane;
    enum route_body body;
    void (*handle)(struct exchange *exchange);
};

/* It belongs to the control plane. */
static inline bool route_is_arm(const struct route *route)
{
    return route->plane == PLANE_ARM || route->plane == PLANE_ACCESS ||
           route->plane == PLANE_TENANT;
}

enum route_outcome {
    ROUTE_FOUND,
    ROUTE_UNKNOWN_PATH,
    ROUTE_WRONG_METHOD,
};

enum { ROUTE_WORDS_MAX = 4 };

struct route_match {
    const struct route *route;
    const char *pool;         /* points into the target, as the next two; NULL: the default pool */
    const char *subscription; /* NULL in the short forms */
    const char *group;
    const char *words[ROUTE_WORDS_MAX]; /* what each "{}" stands for */
    size_t name_first;                  /* segments that "{name}" stands for */
    size_t name_count;
};

enum route_outcome router_find(const char *method, const struct http_target *target,
                               struct route_match *ret_match);
