/* config: the pools that this daemon serves and how it speaks, read once at start. Each part may be
 * absent: there is then one pool, "default".
 *
 * Each pool is a document as sandboxd/resource/pool_reader.h reads it; docs/operations.md shows a
 * complete one:
 *
 *     {"pools": [{"name": "default",
 *                 "properties": {"scaleConfiguration": {"maxConcurrentSessions": 10}},
 *                 "sandpool": {"executionTimeoutSeconds": 220}}],
 *      "roleAssignments": [{"principalId": "...", "roleDefinitionId": "...", "scope": "/..."}]}
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"
#include "sandboxd/api/api_settings.h"
#include "sandboxd/identity/roles.h"
#include "sandboxd/resource/pool_resource.h"

enum {
    CONFIG_BYTES_MAX = 1024 * 1024,
    CONFIG_POOLS_MAX = 64,
};

struct config {
    struct pool_resource pools[CONFIG_POOLS_MAX];
    size_t pool_count;
    struct api_settings api;
    struct roles roles; /* in force when the document has roleAssignments */
};

/* One pool, "default", with the documented limits. */
void config_set_defaults(struct config *ret_config);
/* The error names the JSON path of the member at fault. Clear the result. */
int config_read(const char *data, size_t length, struct config *ret_config, struct error *err);
void config_clear(struct config *config);
