/* pool_bounds: how many pools there may be, and how much those made by ARM may ask for. */
#pragma once

#include "base/core/error.h"
#include "sandboxd/pool/pool.h"

struct front_pool;
struct front_pools;

/* Would a pool with these settings fit beside the others? `except` is not counted; it may be NULL.
 * ERROR_LIMIT: too many pools, or sessions of all together. */
int pool_bounds_check_room(const struct front_pools *pools, const struct pool_settings *settings,
                           const struct front_pool *except, struct error *err);

/* Whoever may make pools must not thereby get more of the machine than its owner gave away:
 * sessions may use what the defaults or a pool of the configuration allow. ERROR_LIMIT otherwise,
 * and beyond FRONT_POOL_SESSIONS_MAX. */
int pool_bounds_check_limits(const struct front_pools *pools, const struct pool_settings *settings,
                             struct error *err);
