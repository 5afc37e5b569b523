#include "sandboxd/api/config.h"

#include <stdbool.h>
#include <stdio.h>

#include "sandboxd/identity/role_list.h"
#include "sandboxd/resource/pool_reader.h"

enum { PATH_TEXT_MAX = 48 };

static void add_default_pool(struct config *config)
{
    const struct resource_id id = {.name = "default"};
    config->pools[config->pool_count++] = pool_resource_default(&id);
}

void config_set_defaults(struct config *ret_config)
{
    *ret_config = (struct config){0};
    add_default_pool(ret_config);
    api_settings_set_defaults(&ret_config->api);
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < config->pool_count; i++)
        pool_resource_clear(&config->pools[i]);
    roles_clear(&config->roles);
    *config = (struct config){0};
}

static int check_pool(const struct config *config, const struct pool_resource *pool,
                      const char *path, struct error *err)
{
    unsigned sessions = pool->settings.max_concurrent_sessions;
    for (size_t i = 0; i < config->pool_count; i++) {
        if (resource_id_equal(&config->pools[i].id, &pool->id))
            return error_set(err, ERROR_INVALID, "%s.name: \"%s\" is taken by an earlier pool",
                             path, pool->id.name);
        sessions += config->pools[i].settings.max_concurrent_sessions;
    }
    if (sessions > RESOURCE_SESSIONS_MAX)
        return error_set(err, ERROR_INVALID,
                         "%s: the pools up to this one have maxConcurrentSessions of %u together; "
                         "%d is the most",
                         path, sessions, RESOURCE_SESSIONS_MAX);
    return 0;
}

static int read_pools(json_t *pools, struct config *config, struct error *err)
{
    size_t count = json_array_size(pools);
    if (!pools) {
        add_default_pool(config);
        return 0;
    }
    if (count < 1 || count > CONFIG_POOLS_MAX)
        return error_set(err, ERROR_INVALID, "pools: must hold 1 to %d pools", CONFIG_POOLS_MAX);
    for (size_t i = 0; i < count; i++) {
        char path[PATH_TEXT_MAX];
        AUTO_POOL_RESOURCE struct pool_resource pool = {0};
        snprintf(path, sizeof path, "pools[%zu]", i);
        if (pool_read(json_array_get(pools, i), path, NULL, &pool, err) < 0 ||
            check_pool(config, &pool, path, err) < 0)
            return -1;
        config->pools[config->pool_count++] = pool_resource_take(&pool);
    }
    return 0;
}

int config_read(const char *data, size_t length, struct config *ret_config, struct error *err)
{
    static const char *const known[] = {"pools", "api", "roleAssignments", NULL};
    AUTO_JSON json_t *document = NULL;
    json_t *pools = NULL, *api = NULL, *assignments = NULL;
    if (json_parse(data, length, CONFIG_BYTES_MAX, &document, err) < 0)
        return -1;
    if (!json_is_object(document))
        return error_set(err, ERROR_INVALID, "the document must be a JSON object");
    if (json_refuse_unknown(document, "", known, err) < 0 ||
        json_get_array_optional(document, "", "pools", &pools, err) < 0 ||
        json_get_object_optional(document, "", "api", &api, err) < 0 ||
        json_get_array_optional(document, "", "roleAssignments", &assignments, err) < 0)
        return -1;

    struct config config = {0};
    if (api_settings_read(api, "api", &config.api, err) < 0 ||
        read_pools(pools, &config, err) < 0 ||
        role_list_read(assignments, "roleAssignments", &config.roles, err) < 0) {
        config_clear(&config);
        return -1;
    }
    config.roles.enabled = assignments != NULL;
    *ret_config = config;
    return 0;
}
