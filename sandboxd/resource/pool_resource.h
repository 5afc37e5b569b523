/* pool_resource: a session pool as a resource of Azure, Microsoft.App/sessionPools.
 *
 * What a configuration file or a PUT said, understood: the settings that the pool runs with, and
 * what has no meaning here but must be given back as it came. pool_reader reads it, pool_writer
 * writes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sandboxd/pool/pool.h"
#include "sandboxd/resource/resource_id.h"

enum {
    /* Of all pools together: descriptors, ids and memory are shared (our limit). */
    RESOURCE_SESSIONS_MAX = 20000,
    RESOURCE_TAGS_MAX = 50, /* as in Azure */
};

struct pool_resource {
    struct resource_id id;
    struct pool_settings settings; /* name and key follow from the id */
    int64_t cooldown_s; /* as properties say; sandpool may have another for the settings */
    int64_t ready;      /* as properties say; -1: they do not */
    bool mcp_enabled;
    int64_t created_ms; /* since 1970, as the next */
    int64_t modified_ms;
    char *location; /* NULL: nobody has said */
    /* JSON texts; NULL where absent. */
    char *tags;
    char *identity;
    char *managed_identities;
    char *secrets; /* names without values */
    char *sandpool;
};

/* What a document that says nothing stands for. Clear it afterwards. */
struct pool_resource pool_resource_default(const struct resource_id *id);
void pool_resource_clear(struct pool_resource *resource);
#define AUTO_POOL_RESOURCE __attribute__((cleanup(pool_resource_clear)))
/* Ownership leaves the variable, which is empty afterwards. */
struct pool_resource pool_resource_take(struct pool_resource *resource);
