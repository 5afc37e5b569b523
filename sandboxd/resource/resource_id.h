/* resource_id: which session pool, as Azure names it.
 *
 * /subscriptions/S/resourceGroups/G/providers/Microsoft.App/sessionPools/NAME, compared in any
 * case. A pool of the configuration may do without the first two: it then answers to every
 * subscription and group.
 */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"
#include "sandboxd/pool/pool.h"

enum {
    RESOURCE_SUBSCRIPTION_MAX = 64, /* a GUID in Azure; here any word */
    RESOURCE_GROUP_MAX = 90,        /* as in Azure */
    RESOURCE_ID_TEXT_MAX = POOL_KEY_MAX + 1,
};

/* The subscription, and the group, that a pool of any is in where one has to be named. */
#define RESOURCE_LOCAL "local"

struct resource_id {
    char subscription[RESOURCE_SUBSCRIPTION_MAX + 1]; /* "": of any, and so the group */
    char group[RESOURCE_GROUP_MAX + 1];
    char name[POOL_NAME_MAX + 1];
};

/* Each word checked on its own. subscription and group are both NULL for a pool of any.
 * ERROR_INVALID names the word at fault. */
int resource_id_set(const char *subscription, const char *group, const char *name,
                    struct resource_id *ret_id, struct error *err);
/* Takes the text apart. */
int resource_id_read(const char *text, struct resource_id *ret_id, struct error *err);
/* A pool of any subscription is its name alone. */
void resource_id_write(const struct resource_id *id, char ret_text[RESOURCE_ID_TEXT_MAX]);
/* The path of its management endpoint, which is the id without the provider. */
void resource_id_write_path(const struct resource_id *id, char ret_text[RESOURCE_ID_TEXT_MAX]);

bool resource_id_is_of_any(const struct resource_id *id);
bool resource_id_equal(const struct resource_id *a, const struct resource_id *b);
