#include "sandboxd/api/request_head.h"

#include <string.h>

#include "base/core/text.h"
#include "base/json/json.h"
#include "sandboxd/api/auth.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/api/origin.h"

static bool is_from_here(struct exchange *exchange)
{
    struct error err = {0};
    if (origin_check(&exchange->front->names, http_request_header(exchange->request, "Host"),
                     http_request_header(exchange->request, "Origin"),
                     http_request_header(exchange->request, "Sec-Fetch-Site"), &err) == 0)
        return true;
    exchange_fail(exchange, SERVICE_FORBIDDEN, NULL, "%s", err.message);
    return false;
}

static bool find_pool(struct exchange *exchange)
{
    const struct route_match *match = &exchange->match;
    struct front_pool *entry =
        front_pools_find(&exchange->front->pools, match->subscription, match->group, match->pool);
    if (entry) {
        front_pool_hold(entry);
        exchange->pool = entry->pool;
        return true;
    }
    if (match->subscription)
        exchange_fail(exchange, SERVICE_POOL_NOT_FOUND, NULL,
                      "there is no pool \"%.64s\" in this resource group", match->pool);
    else
        exchange_fail(exchange, SERVICE_POOL_NOT_FOUND, NULL,
                      "there is no pool \"%.64s\", or one in several resource groups: name the "
                      "group as /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/sessionPools/POOL",
                      match->pool);
    return false;
}

/* An id in the place of the endpoint, which is an easy mistake. */
static bool is_below_resource(const struct http_target *target)
{
    return target->segment_count > 8 &&
           text_equal_ignoring_case(target->segments[4], "providers") &&
           text_equal_ignoring_case(target->segments[6], "sessionPools");
}

static bool find_route(struct exchange *exchange)
{
    struct error err = {0};
    const char *raw = http_request_target(exchange->request);
    const char *method = http_request_method(exchange->request);
    if (http_target_parse(raw, strlen(raw), &exchange->target, &err) < 0) {
        exchange->target = (struct http_target){0};
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "url", "%s", err.message);
        return false;
    }
    switch (router_find(method, &exchange->target, &exchange->match)) {
    case ROUTE_UNKNOWN_PATH:
        exchange_fail(exchange, SERVICE_RESOURCE_NOT_FOUND, NULL, "%s",
                      is_below_resource(&exchange->target)
                          ? "this is a pool's resource id: its pool management endpoint is without "
                            "\"/providers/Microsoft.App\""
                          : "there is no such operation; docs/api.md lists them");
        return false;
    case ROUTE_WRONG_METHOD:
        exchange_fail(exchange, SERVICE_NOT_SUPPORTED, NULL,
                      "the method %s is not supported on this path", method);
        return false;
    default:
        break;
    }
    if (exchange->match.route->plane == PLANE_OPEN || route_is_arm(exchange->match.route))
        return true;
    return find_pool(exchange);
}

static bool read_version(struct exchange *exchange)
{
    struct error err = {0};
    const struct route *route = exchange->match.route;
    if (route->plane == PLANE_OPEN || route->plane == PLANE_MCP)
        return true;
    const char *text = http_target_parameter(&exchange->target, "api-version");
    bool absent = !text || !*text;
    if (absent && route->plane != PLANE_LEGACY) {
        exchange_fail(
            exchange, route_is_arm(route) ? SERVICE_ARM_MISSING_VERSION : SERVICE_VALIDATION_FAILED,
            "api-version", "the query parameter api-version is missing; use 2025-10-02-preview");
        return false;
    }
    if (http_target_parameter_count(&exchange->target, "api-version") > 1) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "api-version",
                      "the query parameter api-version is given more than once");
        return false;
    }
    /* Generation 0 is older than its plane's versions. */
    bool is_data_plane = route->plane == PLANE_DATA || route->plane == PLANE_LEGACY;
    bool strict = exchange->front->api.strict_versions && is_data_plane &&
                  route->generation != WIRE_GENERATION_0;
    if (!absent && dialect_read_version(text, strict, &exchange->version, &err) < 0) {
        exchange_fail(exchange, SERVICE_UNSUPPORTED_VERSION, "api-version", "%s", err.message);
        return false;
    }
    if (absent)
        exchange->version = route->since;
    if (exchange->version < route->since) {
        exchange_fail(exchange, SERVICE_NOT_SUPPORTED, "api-version",
                      "%s %s is not supported in api-version %s; it came with %s", route->method,
                      route->pattern, text, dialect_version_name(route->since));
        return false;
    }
    exchange->generation = route->generation == ROUTE_BY_VERSION
                               ? dialect_generation(exchange->version)
                               : (enum wire_generation)route->generation;
    return true;
}

static bool read_identifier(struct exchange *exchange)
{
    const char *identifier = http_target_parameter(&exchange->target, "identifier");
    if (http_target_parameter_count(&exchange->target, "identifier") > 1) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "identifier",
                      "the query parameter identifier is given more than once");
        return false;
    }
    if (!identifier || !*identifier)
        identifier = http_request_header(exchange->request, "Identifier");
    exchange->identifier = identifier;
    return true;
}

static bool body_may_fit(struct exchange *exchange)
{
    if (exchange->match.route->body != ROUTE_BODY_WHOLE ||
        http_request_content_length(exchange->request) <= (int64_t)JSON_BYTES_MAX)
        return true;
    exchange_fail(exchange, SERVICE_REQUEST_TOO_LARGE, NULL,
                  "the body is larger than %d bytes; upload data as a file", JSON_BYTES_MAX);
    return false;
}

bool request_head_read(struct exchange *exchange)
{
    return is_from_here(exchange) && find_route(exchange) && auth_check(exchange) &&
           read_version(exchange) && read_identifier(exchange) && body_may_fit(exchange);
}
