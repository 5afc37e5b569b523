/* pool_writer: a pool as ARM shows it, and as it is kept. */
#pragma once

#include "base/json/writer.h"
#include "sandboxd/resource/pool_resource.h"

/* Where the cooldown stands. Readers take either form in any version. */
enum pool_form {
    POOL_FORM_TIMED,     /* executionType, cooldownPeriodInSeconds: up to 2024-10-02-preview */
    POOL_FORM_LIFECYCLE, /* lifecycleConfiguration: from 2025-01-01 */
};

struct pool_view {
    enum pool_form form;
    bool with_mcp; /* mcpServerSettings although they are off */
    /* What only answers have: times, state, endpoints. */
    const char *origin; /* "https://HOST"; NULL: left out, as the file and PATCH want it */
    const struct resource_id *id; /* shown instead of the pool's own, which may be of any group */
};

/* The view of an api-version such as "2024-10-02-preview". */
struct pool_view pool_view_of(const char *api_version, const char *origin,
                              const struct resource_id *id);
/* key is NULL at the top and in arrays. */
void pool_write(const struct pool_resource *resource, const struct pool_view *view, const char *key,
                struct writer *writer);
