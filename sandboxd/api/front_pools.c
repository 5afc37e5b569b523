#include "sandboxd/api/front_pools.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "base/core/text.h"
#include "sandboxd/api/pool_bounds.h"
#include "sandboxd/api/wall_clock.h"

/* ---- the list ---- */

void front_pools_open(struct front_pools *pools, struct loop *loop,
                      const struct pool_broker *broker, int state_fd)
{
    *pools = (struct front_pools){
        .loop = loop,
        .broker = *broker,
        .keys = {.directory_fd = state_fd},
        .state_fd = state_fd,
    };
}

static void destroy_entry(struct front_pool *entry)
{
    loop_stop_timer(entry->pools->loop, &entry->wake);
    pool_destroy(entry->pool);
    pool_resource_clear(&entry->resource);
    free(entry);
}

void front_pools_close(struct front_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++)
        destroy_entry(pools->items[i]);
    free(pools->items);
    mcp_keys_clear(&pools->keys);
    pools->items = NULL;
    pools->count = 0;
}

static void forget_entry(struct front_pool *entry)
{
    struct front_pools *pools = entry->pools;
    size_t i = 0;
    while (pools->items[i] != entry)
        i++;
    /* The order stays: the first is the default pool. */
    memmove(&pools->items[i], &pools->items[i + 1],
            (pools->count - i - 1) * sizeof(struct front_pool *));
    pools->count--;
    destroy_entry(entry);
}

/* ---- time ---- */

static void on_pool_time(void *self)
{
    struct front_pool *entry = self;
    pool_wake(entry->pool);
    if (entry->is_deleted && entry->holds == 0 && entry->pool->session_count == 0) {
        log_info("pool.freed", "pool=%s", entry->resource.id.name);
        forget_entry(entry);
    }
}

void front_pool_wake_at(struct front_pool *entry, int64_t at_ms)
{
    loop_start_timer(entry->pools->loop, &entry->wake, at_ms, on_pool_time, entry);
}

void front_pool_hold(struct front_pool *entry)
{
    entry->holds++;
}

void front_pool_release(struct front_pool *entry)
{
    entry->holds--;
    /* Not at once: callers still use it. */
    if (entry->is_deleted && entry->holds == 0)
        front_pool_wake_at(entry, loop_now_ms(entry->pools->loop));
}

void front_pools_wake(struct front_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++)
        pool_wake(pools->items[i]->pool);
}

void front_pools_quiesce(struct front_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        pools->items[i]->pool->closing = true;
        loop_stop_timer(pools->loop, &pools->items[i]->wake);
    }
}

bool front_pools_are_settled(const struct front_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->items[i]->is_configured && !pools->items[i]->pool->settled)
            return false;
    }
    return true;
}

/* ---- finding ---- */

struct front_pool *front_pools_find_key(const struct front_pools *pools, const char *key)
{
    for (size_t i = 0; i < pools->count; i++) {
        struct front_pool *entry = pools->items[i];
        if (!entry->is_deleted && text_equal_ignoring_case(entry->pool->settings.key, key))
            return entry;
    }
    return NULL;
}

static bool is_at(const struct front_pool *entry, const char *subscription, const char *group,
                  const char *name)
{
    const struct resource_id *id = &entry->resource.id;
    return text_equal_ignoring_case(id->subscription, subscription) &&
           text_equal_ignoring_case(id->group, group) && text_equal_ignoring_case(id->name, name);
}

static struct front_pool *find_only(const struct front_pools *pools, const char *name)
{
    struct front_pool *found = NULL;
    for (size_t i = 0; i < pools->count; i++) {
        struct front_pool *entry = pools->items[i];
        if (entry->is_deleted || !text_equal_ignoring_case(entry->resource.id.name, name))
            continue;
        if (resource_id_is_of_any(&entry->resource.id))
            return entry;
        if (found)
            return NULL;
        found = entry;
    }
    return found;
}

static struct front_pool *find_default(const struct front_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->items[i]->is_configured &&
            text_equal_ignoring_case(pools->items[i]->resource.id.name, "default"))
            return pools->items[i];
    }
    return pools->items[0];
}

struct front_pool *front_pools_find(const struct front_pools *pools, const char *subscription,
                                    const char *group, const char *name)
{
    if (!name)
        return find_default(pools);
    if (!subscription)
        return find_only(pools, name);
    struct front_pool *of_any = NULL;
    for (size_t i = 0; i < pools->count; i++) {
        struct front_pool *entry = pools->items[i];
        if (entry->is_deleted)
            continue;
        if (is_at(entry, subscription, group, name))
            return entry;
        if (is_at(entry, "", "", name))
            of_any = entry;
    }
    return of_any;
}

/* ---- coming ---- */

static int make_key(struct front_pools *pools, const struct pool_resource *resource,
                    struct error *err)
{
    const char *key = NULL;
    if (!resource->mcp_enabled || mcp_keys_find(&pools->keys, resource->settings.key))
        return 0;
    return mcp_keys_renew(&pools->keys, resource->settings.key, &key, err);
}

static struct front_pool *insert(struct front_pools *pools, struct pool_resource *resource)
{
    struct front_pool *entry = xcalloc(1, sizeof *entry);
    entry->pools = pools;
    entry->resource = pool_resource_take(resource);
    entry->pool = pool_create(&entry->resource.settings, &pools->broker, clock_system());
    entry->pool->owner = entry;
    pools->items = xrealloc(pools->items, (pools->count + 1) * sizeof(struct front_pool *));
    pools->items[pools->count++] = entry;
    return entry;
}

int front_pools_add(struct front_pools *pools, struct pool_resource *resource, bool is_configured,
                    struct front_pool **ret_entry, struct error *err)
{
    AUTO_POOL_RESOURCE struct pool_resource taken = pool_resource_take(resource);
    if (pool_bounds_check_room(pools, &taken.settings, NULL, err) < 0)
        return -1;
    if (!taken.created_ms)
        taken.created_ms = taken.modified_ms = wall_clock_now_us() / 1000;
    struct front_pool *entry = insert(pools, &taken);
    entry->is_configured = is_configured;
    if (ret_entry)
        *ret_entry = entry;
    return 0;
}

int front_pools_create(struct front_pools *pools, struct pool_resource *resource,
                       struct front_pool **ret_entry, struct error *err)
{
    AUTO_POOL_RESOURCE struct pool_resource taken = pool_resource_take(resource);
    char file[RESOURCE_FILE_MAX] = "";
    taken.created_ms = taken.modified_ms = wall_clock_now_us() / 1000;
    if (pool_bounds_check_limits(pools, &taken.settings, err) < 0 ||
        pool_bounds_check_room(pools, &taken.settings, NULL, err) < 0 ||
        make_key(pools, &taken, err) < 0)
        return -1;
    if (resource_store_save(pools->state_fd, &taken, file, err) < 0) {
        struct error ignored; /* the key of no pool */
        mcp_keys_forget(&pools->keys, taken.settings.key, &ignored);
        return -1;
    }
    struct front_pool *entry = insert(pools, &taken);
    memcpy(entry->file, file, sizeof file);
    log_info("pool.created", "pool=%s sessions=%u", entry->resource.id.name,
             entry->pool->settings.max_concurrent_sessions);
    pool_wake(entry->pool);
    *ret_entry = entry;
    return 0;
}

int front_pools_replace(struct front_pool *entry, struct pool_resource *resource, struct error *err)
{
    AUTO_POOL_RESOURCE struct pool_resource taken = pool_resource_take(resource);
    struct front_pools *pools = entry->pools;
    taken.created_ms = entry->resource.created_ms;
    taken.modified_ms = wall_clock_now_us() / 1000;
    if (pool_bounds_check_limits(pools, &taken.settings, err) < 0 ||
        pool_bounds_check_room(pools, &taken.settings, entry, err) < 0 ||
        make_key(pools, &taken, err) < 0 ||
        resource_store_save(pools->state_fd, &taken, entry->file, err) < 0)
        return -1;
    pool_resource_clear(&entry->resource);
    entry->resource = pool_resource_take(&taken);
    log_info("pool.changed", "pool=%s sessions=%u", entry->resource.id.name,
             entry->resource.settings.max_concurrent_sessions);
    pool_update(entry->pool, &entry->resource.settings);
    return 0;
}

int front_pools_delete(struct front_pool *entry, struct error *err)
{
    struct front_pools *pools = entry->pools;
    if (resource_store_remove(pools->state_fd, entry->file, err) < 0)
        return -1;
    struct error ignored = {0};
    if (mcp_keys_forget(&pools->keys, entry->pool->settings.key, &ignored) < 0)
        log_error("pool.key_left", "pool=%s error=\"%s\"", entry->resource.id.name,
                  ignored.message);
    log_info("pool.deleted", "pool=%s sessions=%u", entry->resource.id.name,
             entry->pool->session_count);
    entry->is_deleted = true;
    pool_close(entry->pool);
    return 0;
}

/* ---- loading ---- */

static void on_stored_pool(void *self, struct pool_resource *resource, const char *file)
{
    struct front_pools *pools = self;
    struct error err = {0};
    struct front_pool *entry = NULL;
    AUTO_POOL_RESOURCE struct pool_resource taken = pool_resource_take(resource);
    if (front_pools_find_key(pools, taken.settings.key))
        error_set(&err, ERROR_CONFLICT, "the pool %s is there already", taken.settings.key);
    else
        front_pools_add(pools, &taken, false, &entry, &err);
    if (entry)
        memcpy(entry->file, file, strlen(file) + 1);
    else
        log_error("pool.not_loaded", "file=%s error=\"%s\"", file, err.message);
}

void front_pools_load(struct front_pools *pools)
{
    struct error err = {0};
    if (resource_store_load(pools->state_fd, on_stored_pool, pools, &err) < 0)
        log_error("pools.not_loaded", "error=\"%s\"", err.message);
    /* A file that cannot be read is left alone, and new keys are not kept in its place. */
    if (mcp_keys_load(&pools->keys, &err) < 0) {
        log_error("mcp_keys.not_loaded", "error=\"%s\"", err.message);
        mcp_keys_clear(&pools->keys);
        pools->keys.directory_fd = RESOURCE_STORE_NOTHING;
    }
    for (size_t i = 0; i < pools->count; i++) {
        if (make_key(pools, &pools->items[i]->resource, &err) < 0)
            log_error("mcp_keys.not_made", "pool=%s error=\"%s\"",
                      pools->items[i]->resource.id.name, err.message);
    }
}
