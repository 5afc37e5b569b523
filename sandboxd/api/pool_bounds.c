#include "sandboxd/api/pool_bounds.h"

#include <inttypes.h>

#include "sandboxd/api/front_pools.h"

int pool_bounds_check_room(const struct front_pools *pools, const struct pool_settings *settings,
                           const struct front_pool *except, struct error *err)
{
    if (settings->egress.enabled && pools->no_egress && *pools->no_egress)
        return error_set(err, ERROR_LIMIT,
                         "properties.sessionNetworkConfiguration.status: sessions can have no "
                         "network on this machine: %s",
                         pools->no_egress);
    unsigned count = 0, sessions = settings->max_concurrent_sessions;
    for (size_t i = 0; i < pools->count; i++) {
        const struct front_pool *entry = pools->items[i];
        if (entry == except)
            continue;
        count += !entry->is_deleted;
        sessions += entry->is_deleted ? entry->pool->session_count
                                      : entry->pool->settings.max_concurrent_sessions;
    }
    if (count >= FRONT_POOLS_MAX)
        return error_set(err, ERROR_LIMIT, "there are %d session pools already; delete one",
                         FRONT_POOLS_MAX);
    if (sessions > RESOURCE_SESSIONS_MAX)
        return error_set(err, ERROR_LIMIT,
                         "all session pools together would have maxConcurrentSessions of %u; %d is "
                         "the most",
                         sessions, RESOURCE_SESSIONS_MAX);
    return 0;
}

/* What a session may use, in the words of the document. */
struct limit {
    const char *title;
    uint64_t value;
};

enum { LIMITS = 5 };

static void list_limits(const struct pool_settings *settings, struct limit ret_limits[LIMITS])
{
    const struct limit limits[LIMITS] = {
        {"sessionMemoryBytes", settings->session_memory_bytes},
        {"dataBytes", settings->data_bytes},
        {"dataInodes", settings->data_inodes},
        {"sessionTasks", settings->session_tasks},
        {"cpuPercent", settings->cpu_percent},
    };
    for (size_t i = 0; i < LIMITS; i++)
        ret_limits[i] = limits[i];
}

/* The most that the defaults or a pool of the configuration give. */
static void list_given(const struct front_pools *pools, struct limit ret_limits[LIMITS])
{
    const struct resource_id anybody = {.name = "default"};
    AUTO_POOL_RESOURCE struct pool_resource defaults = pool_resource_default(&anybody);
    list_limits(&defaults.settings, ret_limits);
    for (size_t k = 0; k < pools->count; k++) {
        struct limit given[LIMITS];
        if (!pools->items[k]->is_configured)
            continue;
        list_limits(&pools->items[k]->pool->settings, given);
        for (size_t i = 0; i < LIMITS; i++) {
            if (given[i].value > ret_limits[i].value)
                ret_limits[i].value = given[i].value;
        }
    }
}

/* The public internet is anybody's; what else there is, the configuration gives. */
static int check_ranges(const struct front_pools *pools, const struct pool_egress *wanted,
                        struct error *err)
{
    for (uint32_t i = 0; i < wanted->range_count; i++) {
        bool given = !address_range_touches(&wanted->ranges[i], ADDRESS_PRIVATE);
        for (size_t k = 0; k < pools->count && !given; k++) {
            const struct pool_egress *have = &pools->items[k]->pool->settings.egress;
            given = pools->items[k]->is_configured &&
                    address_range_is_in(&wanted->ranges[i], have->ranges, have->range_count);
        }
        if (!given)
            return error_set(err, ERROR_LIMIT,
                             "properties.sandpool.egressAllow[%u]: reaches private addresses; only "
                             "a pool of the configuration file may allow those",
                             i);
    }
    return 0;
}

int pool_bounds_check_limits(const struct front_pools *pools, const struct pool_settings *settings,
                             struct error *err)
{
    struct limit wanted[LIMITS], given[LIMITS];
    if (settings->max_concurrent_sessions > FRONT_POOL_SESSIONS_MAX)
        return error_set(
            err, ERROR_LIMIT,
            "properties.scaleConfiguration.maxConcurrentSessions: is %u; %d is the most "
            "outside of the configuration file",
            settings->max_concurrent_sessions, FRONT_POOL_SESSIONS_MAX);
    list_limits(settings, wanted);
    list_given(pools, given);
    for (size_t i = 0; i < LIMITS; i++) {
        if (wanted[i].value > given[i].value)
            return error_set(err, ERROR_LIMIT,
                             "properties.sandpool.%s: is %" PRIu64 "; %" PRIu64
                             " is the most outside of the configuration file",
                             wanted[i].title, wanted[i].value, given[i].value);
    }
    return check_ranges(pools, &settings->egress, err);
}
