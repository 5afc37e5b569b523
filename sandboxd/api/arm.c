#include "sandboxd/api/arm.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/writer.h"
#include "sandboxd/api/arm_roles.h"
#include "sandboxd/api/auth.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/resource/pool_patch.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/pool_writer.h"

/* ---- answers ---- */

/* What the readers and the list of pools say, in the service's words. */
static void fail(struct exchange *exchange, const struct error *err)
{
    static const enum service_code codes[] = {
        [ERROR_INVALID] = SERVICE_ARM_INVALID_CONTENT,
        [ERROR_DENIED] = SERVICE_ARM_TYPE_NOT_SUPPORTED,
        [ERROR_LIMIT] = SERVICE_ARM_INVALID_READY,
    };
    enum service_code code =
        err->code <= ERROR_LIMIT && codes[err->code] ? codes[err->code] : SERVICE_INTERNAL_ERROR;
    exchange_fail(exchange, code, NULL, "%s", err->message);
}

/* It was understood and could not be done. */
static void fail_to_act(struct exchange *exchange, const struct error *err)
{
    bool is_bound = err->code == ERROR_LIMIT && err->number == 0;
    exchange_fail(exchange, is_bound ? SERVICE_ARM_QUOTA_EXCEEDED : problem_of_state(err), NULL,
                  "%s", err->message);
}

static void write_entry(const struct exchange *exchange, const struct front_pool *entry,
                        const char *subscription, const char *group, struct writer *writer)
{
    char origin[AUTH_ORIGIN_MAX];
    struct resource_id id = entry->resource.id;
    struct error ignored;
    if (resource_id_is_of_any(&id))
        resource_id_set(subscription, group, entry->resource.id.name, &id, &ignored);
    auth_write_origin(exchange, origin);
    const char *version = http_target_parameter(&exchange->target, "api-version");
    struct pool_view view = pool_view_of(version, origin, &id);
    pool_write(&entry->resource, &view, NULL, writer);
}

static void respond_with(struct exchange *exchange, const struct front_pool *entry)
{
    AUTO_BUF struct buf body = {0};
    const char *const *words = exchange->match.words;
    struct writer writer = writer_begin(&body, false);
    write_entry(exchange, entry, words[0], words[1], &writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

/* ---- which pool ---- */

/* False when the path names none that could be; answered then. */
static bool read_id(struct exchange *exchange, struct resource_id *ret_id)
{
    struct error err = {0};
    const char *const *words = exchange->match.words;
    if (resource_id_set(words[0], words[1], words[2], ret_id, &err) == 0)
        return true;
    exchange_fail(exchange, SERVICE_ARM_INVALID_CONTENT, NULL, "the path's %s", err.message);
    return false;
}

static struct front_pool *find(const struct exchange *exchange, const struct resource_id *id)
{
    return front_pools_find(&exchange->front->pools, id->subscription, id->group, id->name);
}

/* NULL after having answered. */
static struct front_pool *require_pool(struct exchange *exchange)
{
    struct resource_id id;
    if (!read_id(exchange, &id))
        return NULL;
    struct front_pool *entry = find(exchange, &id);
    if (!entry)
        exchange_fail(exchange, SERVICE_RESOURCE_NOT_FOUND, NULL,
                      "the resource Microsoft.App/sessionPools/%s under resource group %s was not "
                      "found",
                      id.name, id.group);
    return entry;
}

/* False after having answered: the file would undo the change at the next start. */
static bool may_change(struct exchange *exchange, const struct front_pool *entry)
{
    if (exchange->front->stopping) {
        exchange_fail(exchange, SERVICE_UNAVAILABLE, NULL, "the daemon is stopping");
        return false;
    }
    if (!entry || !entry->is_configured)
        return true;
    exchange_fail(exchange, SERVICE_ARM_CONFLICT, NULL,
                  "the pool \"%s\" belongs to the daemon's configuration file, or to its defaults: "
                  "change it there and start again, or choose another name",
                  entry->resource.id.name);
    return false;
}

/* "North Central US" is "northcentralus". */
static bool same_location(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        char both[2][2] = {{*a}, {*b}};
        if (!text_equal_ignoring_case(both[0], both[1]))
            return false;
        if (!*a)
            return true;
    }
}

static bool check_location(struct exchange *exchange, const struct front_pool *entry,
                           const struct pool_resource *resource)
{
    if (!resource->location) {
        exchange_fail(exchange, SERVICE_ARM_LOCATION_REQUIRED, "location",
                      "the member location is missing; any word will do");
        return false;
    }
    if (!entry || !entry->resource.location ||
        same_location(entry->resource.location, resource->location))
        return true;
    exchange_fail(exchange, SERVICE_ARM_INVALID_LOCATION, "location",
                  "the pool \"%s\" is in %.64s already; delete it to have it in %.64s",
                  entry->resource.id.name, entry->resource.location, resource->location);
    return false;
}

/* Far below what the server takes for other bodies. */
static bool body_fits(struct exchange *exchange)
{
    if (exchange->body.length <= POOL_DOCUMENT_BYTES_MAX)
        return true;
    exchange_fail(exchange, SERVICE_REQUEST_TOO_LARGE, NULL,
                  "the body is larger than %d bytes, which no pool needs", POOL_DOCUMENT_BYTES_MAX);
    return false;
}

/* ---- operations on one ---- */

void arm_pool_put(struct exchange *exchange)
{
    struct error err = {0};
    struct resource_id id;
    AUTO_POOL_RESOURCE struct pool_resource resource = {0};
    if (!read_id(exchange, &id) || !body_fits(exchange))
        return;
    struct front_pool *entry = find(exchange, &id);
    if (!may_change(exchange, entry))
        return;
    /* The first spelling stays. */
    if (pool_read_text(exchange->body.data, exchange->body.length,
                       entry ? &entry->resource.id : &id, &resource, &err) < 0) {
        fail(exchange, &err);
        return;
    }
    if (!check_location(exchange, entry, &resource))
        return;
    int result = entry ? front_pools_replace(entry, &resource, &err)
                       : front_pools_create(&exchange->front->pools, &resource, &entry, &err);
    if (result < 0)
        fail_to_act(exchange, &err);
    else
        respond_with(exchange, entry);
}

void arm_pool_patch(struct exchange *exchange)
{
    struct error err = {0};
    AUTO_POOL_RESOURCE struct pool_resource patched = {0};
    struct front_pool *entry = require_pool(exchange);
    if (!entry || !may_change(exchange, entry) || !body_fits(exchange))
        return;
    if (pool_patch(&entry->resource, exchange->body.data, exchange->body.length, &patched, &err) <
        0) {
        fail(exchange, &err);
        return;
    }
    if (!check_location(exchange, entry, &patched))
        return;
    if (front_pools_replace(entry, &patched, &err) < 0)
        fail_to_act(exchange, &err);
    else
        respond_with(exchange, entry);
}

void arm_pool_show(struct exchange *exchange)
{
    struct front_pool *entry = require_pool(exchange);
    if (entry)
        respond_with(exchange, entry);
}

void arm_pool_delete(struct exchange *exchange)
{
    struct error err = {0};
    struct resource_id id;
    if (!read_id(exchange, &id))
        return;
    struct front_pool *entry = find(exchange, &id);
    if (!may_change(exchange, entry))
        return;
    if (!entry) {
        exchange_respond_empty(exchange, 204);
        return;
    }
    if (front_pools_delete(entry, &err) < 0) {
        fail_to_act(exchange, &err);
        return;
    }
    arm_roles_forget_below(exchange->front, entry->pool->settings.key);
    exchange_respond_empty(exchange, 200);
}

/* ---- lists ---- */

void arm_pool_list(struct exchange *exchange)
{
    const struct front_pools *pools = &exchange->front->pools;
    const char *subscription = exchange->match.words[0];
    const char *group = exchange->match.words[1]; /* NULL: all of the subscription */
    struct resource_id place;
    struct error err = {0};
    AUTO_BUF struct buf body = {0};
    if (resource_id_set(subscription, group ? group : RESOURCE_LOCAL, "any", &place, &err) < 0) {
        exchange_fail(exchange, SERVICE_ARM_INVALID_CONTENT, NULL, "the path's %s", err.message);
        return;
    }
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, "value");
    for (size_t i = 0; i < pools->count; i++) {
        const struct front_pool *entry = pools->items[i];
        const struct resource_id *id = &entry->resource.id;
        bool here = text_equal_ignoring_case(id->subscription, subscription) &&
                    (!group || text_equal_ignoring_case(id->group, group));
        if (!entry->is_deleted && (here || resource_id_is_of_any(id)))
            write_entry(exchange, entry, place.subscription, place.group, &writer);
    }
    writer_close_array(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

/* ---- keys ---- */

static void respond_with_key(struct exchange *exchange, const char *key)
{
    AUTO_BUF struct buf body = {0};
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "apiKey", key);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

/* NULL after having answered. */
static struct front_pool *require_mcp(struct exchange *exchange)
{
    struct front_pool *entry = require_pool(exchange);
    if (!entry || front_mcp_key(entry->pool))
        return entry;
    exchange_fail(exchange, SERVICE_ARM_MCP_OFF, "properties.mcpServerSettings",
                  "the pool \"%s\" has no MCP server; set "
                  "properties.mcpServerSettings.isMCPServerEnabled to true",
                  entry->resource.id.name);
    return NULL;
}

void arm_mcp_key_show(struct exchange *exchange)
{
    const struct front_pool *entry = require_mcp(exchange);
    if (entry)
        respond_with_key(exchange, front_mcp_key(entry->pool));
}

void arm_mcp_key_renew(struct exchange *exchange)
{
    struct error err = {0};
    const char *key = NULL;
    struct front_pool *entry = require_mcp(exchange);
    if (!entry)
        return;
    if (mcp_keys_renew(&entry->pools->keys, entry->pool->settings.key, &key, &err) < 0)
        fail_to_act(exchange, &err);
    else
        respond_with_key(exchange, key);
}
