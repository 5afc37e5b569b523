/* front_pools: the pools that the front serves, those of the configuration and those made by ARM.
 *
 * Pools come and go while requests are under way. A request holds the pool that it is about; a
 * deleted pool is found no more, gives up its sessions, and is freed when the last of them and the
 * last request are gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/loop.h"
#include "sandboxd/pool/pool.h"
#include "sandboxd/resource/mcp_keys.h"
#include "sandboxd/resource/resource_store.h"

enum {
    FRONT_POOLS_MAX = 64,          /* each keeps sessions ready (our limit) */
    FRONT_POOL_SESSIONS_MAX = 600, /* of one made by ARM; the service's own limit */
};

struct front_pool {
    struct front_pools *pools;
    struct pool *pool; /* its owner is this struct */
    struct pool_resource resource;
    bool is_configured; /* belongs to the configuration file */
    bool is_deleted;
    unsigned holds; /* requests under way */
    struct timer wake;
    char file[RESOURCE_FILE_MAX]; /* where it is kept; "" for those of the configuration */
};

struct front_pools {
    struct loop *loop;
    struct pool_broker broker;
    struct front_pool **items; /* deleted ones too, while they last; the configuration's first */
    size_t count;
    struct mcp_keys keys;
    const char *no_egress; /* why sessions can have no network on this machine; "" or NULL: they can
                            */
    int state_fd;          /* RESOURCE_STORE_NOTHING: pools and keys do not survive a restart */
};

void front_pools_open(struct front_pools *pools, struct loop *loop,
                      const struct pool_broker *broker, int state_fd);
/* Sessions must have ended. */
void front_pools_close(struct front_pools *pools);

/* Pools and keys of the state directory; the configuration's pools are there already. What cannot
 * be used is named in the log. */
void front_pools_load(struct front_pools *pools);

/* Takes the resource in any case. Nothing is started before pool_wake. ERROR_LIMIT: too many pools,
 * or sessions of all together. */
int front_pools_add(struct front_pools *pools, struct pool_resource *resource, bool is_configured,
                    struct front_pool **ret_entry, struct error *err);

/* Each is kept in the state directory before it acts. created_ms and modified_ms are set; the
 * resource is taken. ERROR_LIMIT as above, and for what only the configuration may give: more than
 * FRONT_POOL_SESSIONS_MAX, or sessions that may use more than those of its pools and of the
 * defaults. ERROR_SYSTEM when it cannot be kept. */
int front_pools_create(struct front_pools *pools, struct pool_resource *resource,
                       struct front_pool **ret_entry, struct error *err);
int front_pools_replace(struct front_pool *entry, struct pool_resource *resource,
                        struct error *err);
int front_pools_delete(struct front_pool *entry, struct error *err);

/* Who answers to this path? The pool of exactly this id; else one of any subscription with this
 * name. Without subscription and group: one of any subscription, else the only one of that name.
 * Without a name too: the default pool, which is the configuration's of that name, else its first.
 */
struct front_pool *front_pools_find(const struct front_pools *pools, const char *subscription,
                                    const char *group, const char *name);
struct front_pool *front_pools_find_key(const struct front_pools *pools, const char *key);

void front_pool_hold(struct front_pool *entry);
void front_pool_release(struct front_pool *entry);
/* For the wake seam. */
void front_pool_wake_at(struct front_pool *entry, int64_t at_ms);

/* The pools of the configuration have had their ready instances. */
bool front_pools_are_settled(const struct front_pools *pools);
/* No more ready instances. */
void front_pools_quiesce(struct front_pools *pools);
/* Starts ready instances everywhere. */
void front_pools_wake(struct front_pools *pools);

static inline struct front_pool *front_pool_of(const struct pool *pool)
{
    return pool->owner;
}
