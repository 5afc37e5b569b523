#include "sandboxd/api/auth.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/core/cleanup.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/forwarded.h"
#include "sandboxd/api/front.h"
#include "sandboxd/identity/audience.h"
#include "sandboxd/identity/secret.h"

enum { SCOPE_BYTES_MAX = 16 * 1024 }; /* longer than any target */

void auth_write_origin(const struct exchange *exchange, char ret_origin[AUTH_ORIGIN_MAX])
{
    struct http_request *request = exchange->request;
    const char *host = http_request_header(request, "Host");
    const char *scheme = NULL;
    char public_host[FORWARDED_HOST_MAX];
    if (exchange->front->api.trusts_forwarded) {
        scheme = forwarded_read_scheme(http_request_header(request, "X-Forwarded-Proto"));
        if (forwarded_read_host(http_request_header(request, "X-Forwarded-Host"), public_host))
            host = public_host;
    }
    if (!scheme)
        scheme = http_request_is_tls(request) ? "https" : "http";
    snprintf(ret_origin, AUTH_ORIGIN_MAX, "%s://%s", scheme, host ? host : "");
}

/* A slash that was percent-encoded in the path is none that divides a scope. */
static void append_segment(struct buf *scope, const char *segment)
{
    buf_append_text(scope, "/");
    for (const char *slash; (slash = strchr(segment, '/')); segment = slash + 1) {
        buf_append(scope, segment, (size_t)(slash - segment));
        buf_append_text(scope, "%2F");
    }
    buf_append_text(scope, segment);
}

/* A pool's resource id. One that is of any subscription is of the one that the path names; the
 * short forms name none: theirs is RESOURCE_LOCAL. */
static void append_pool_scope(const struct exchange *exchange, struct buf *scope)
{
    const struct route_match *match = &exchange->match;
    if (!resource_id_is_of_any(&front_pool_of(exchange->pool)->resource.id)) {
        buf_append_text(scope, exchange->pool->settings.key);
        return;
    }
    buf_append_text(scope, "/subscriptions");
    append_segment(scope, match->subscription ? match->subscription : RESOURCE_LOCAL);
    buf_append_text(scope, "/resourceGroups");
    append_segment(scope, match->group ? match->group : RESOURCE_LOCAL);
    buf_append_text(scope, "/providers/Microsoft.App/sessionPools");
    append_segment(scope, exchange->pool->settings.name);
}

/* The path of a control plane request is the id of a resource, or goes on behind one: an assignment
 * to the resource covers either. */
static void append_path_scope(const struct exchange *exchange, struct buf *scope)
{
    for (size_t i = 0; i < exchange->target.segment_count; i++)
        append_segment(scope, exchange->target.segments[i]);
}

static const struct {
    bool checked;
    enum audience_plane audience;
    const char *role_id; /* NULL: none is asked for, and so no scope */
    void (*append_scope)(const struct exchange *exchange, struct buf *scope);
} planes[] = {
    [PLANE_DATA] = {true, AUDIENCE_DATA, ROLE_SESSION_EXECUTOR, append_pool_scope},
    [PLANE_LEGACY] = {true, AUDIENCE_DATA, ROLE_SESSION_EXECUTOR, append_pool_scope},
    [PLANE_ARM] = {true, AUDIENCE_ARM, ROLE_CONTRIBUTOR, append_path_scope},
    [PLANE_ACCESS] = {true, AUDIENCE_ARM, ROLE_ACCESS_ADMIN, append_path_scope},
    [PLANE_TENANT] = {true, AUDIENCE_ARM, NULL, NULL},
    [PLANE_MCP] = {0}, /* check_key */
    [PLANE_OPEN] = {0},
};

static bool answer(struct exchange *exchange, enum access_outcome outcome, const char *message)
{
    if (outcome == ACCESS_GRANTED)
        return true;
    exchange_fail(exchange, outcome == ACCESS_FORBIDDEN ? SERVICE_FORBIDDEN : SERVICE_UNAUTHORIZED,
                  "Authorization", "%s", message);
    return false;
}

/* A token does not count, whatever the mode. */
static bool check_key(struct exchange *exchange)
{
    const char *key = front_mcp_key(exchange->pool);
    const char *candidate = http_request_header(exchange->request, "x-ms-apikey");
    if (!key) {
        exchange_fail(exchange, SERVICE_RESOURCE_NOT_FOUND, NULL,
                      "the pool \"%s\" has no MCP endpoint: set "
                      "properties.mcpServerSettings.isMCPServerEnabled to true",
                      exchange->pool->settings.name);
        return false;
    }
    if (secret_matches(key, candidate))
        return true;
    exchange_fail(exchange, SERVICE_KEY_REFUSED, "x-ms-apikey",
                  "the header x-ms-apikey %s: give the key that fetchMCPServerCredentials of the "
                  "pool answers; a bearer token is not looked at",
                  candidate ? "does not hold the key" : "is missing");
    return false;
}

bool auth_check(struct exchange *exchange)
{
    struct front *front = exchange->front;
    enum route_plane plane = exchange->match.route->plane;
    if (plane == PLANE_MCP)
        return check_key(exchange);
    if (!planes[plane].checked)
        return true;

    char origin[AUTH_ORIGIN_MAX];
    const char *audiences[AUDIENCES_MAX] = {NULL};
    AUTO_BUF struct buf scope = {.limit = SCOPE_BYTES_MAX};
    struct error err = {0};
    if (front->auth == ACCESS_JWT) { /* nobody else looks at them */
        auth_write_origin(exchange, origin);
        audience_list(planes[plane].audience, origin, audiences);
    }
    if (planes[plane].role_id && front->roles.enabled)
        planes[plane].append_scope(exchange, &scope);
    struct access_rules rules = {
        .mode = front->auth,
        .issuer = front->identity ? front->identity->issuer : NULL,
        .roles = &front->roles,
        .now_s = time(NULL),
    };
    struct access_request request = {
        .authorization = http_request_header(exchange->request, "Authorization"),
        .audiences = audiences,
        .role_id = planes[plane].role_id,
        .scope = scope.data ? scope.data : "/",
    };
    return answer(exchange, access_check(&rules, &request, &err), err.message);
}
