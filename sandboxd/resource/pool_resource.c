#include "sandboxd/resource/pool_resource.h"

#include <stdlib.h>
#include <string.h>

/* docs/operations.md, "Settings", explains each. */
enum {
    SESSIONS_DEFAULT = 10,
    READY_DEFAULT = 5,
    COOLDOWN_DEFAULT_S = 300,
    EXECUTION_TIMEOUT_DEFAULT_S = 220,
    TASKS_DEFAULT = 256,
    CPU_PERCENT_DEFAULT = 100,
    INODES_DEFAULT = 20000,
    MEBIBYTE = 1048576,
};

struct pool_resource pool_resource_default(const struct resource_id *id)
{
    struct pool_resource resource = {
        .id = *id,
        .settings =
            {
                .max_concurrent_sessions = SESSIONS_DEFAULT,
                .ready_session_instances = READY_DEFAULT,
                .cooldown_ms = (int64_t)COOLDOWN_DEFAULT_S * 1000,
                .execution_timeout_ms = (int64_t)EXECUTION_TIMEOUT_DEFAULT_S * 1000,
                .session_memory_bytes = UINT64_C(1024) * MEBIBYTE,
                .data_bytes = UINT64_C(512) * MEBIBYTE,
                .data_inodes = INODES_DEFAULT,
                .session_tasks = TASKS_DEFAULT,
                .cpu_percent = CPU_PERCENT_DEFAULT,
                .preload = true,
                .audit = true,
            },
        .cooldown_s = COOLDOWN_DEFAULT_S,
        .ready = -1,
    };
    memcpy(resource.settings.name, id->name, sizeof resource.settings.name);
    resource_id_write(id, resource.settings.key);
    return resource;
}

void pool_resource_clear(struct pool_resource *resource)
{
    free(resource->location);
    free(resource->tags);
    free(resource->identity);
    free(resource->managed_identities);
    free(resource->secrets);
    free(resource->sandpool);
    *resource = (struct pool_resource){0};
}

struct pool_resource pool_resource_take(struct pool_resource *resource)
{
    struct pool_resource taken = *resource;
    *resource = (struct pool_resource){0};
    return taken;
}
