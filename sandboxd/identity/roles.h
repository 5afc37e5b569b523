/* roles: who may do what to which resource, as Azure's role assignments say it.
 *
 * Runs in: the front. Pure: no files, no time. A scope covers everything below it, "/" everything.
 * Assignments act at once; in Azure they take minutes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"
#include "base/core/random.h"

/* The service's own role definitions. */
#define ROLE_SESSION_EXECUTOR "0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0"
#define ROLE_CONTRIBUTOR      "b24988ac-6180-42a0-ab88-20f7382dd24c"
#define ROLE_OWNER            "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define ROLE_ACCESS_ADMIN     "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"

enum {
    ROLES_MAX = 1024,           /* assignments in one list (our limit) */
    ROLE_SCOPE_BYTES_MAX = 512, /* longer than any pool's resource id */
};

struct role_assignment {
    char name[GUID_TEXT_MAX];         /* of the assignment itself */
    char principal_id[GUID_TEXT_MAX]; /* compared with a token's oid and appid */
    char role_id[GUID_TEXT_MAX];      /* of the role definition, without what comes before it */
    char scope[ROLE_SCOPE_BYTES_MAX]; /* "/..." without a slash at the end, or "/" */
};

/* Zeroed: an empty list that is not in force. */
struct roles {
    bool enabled; /* false: everybody may do everything */
    struct role_assignment *items;
    size_t count;
};

/* Adds an assignment, or replaces the one of that name at that scope. role_definition is a GUID or
 * a path that ends in one. *ret_assignment (may be NULL) is borrowed and valid until the next
 * change. ERROR_INVALID names the member at fault, ERROR_LIMIT at ROLES_MAX. */
int roles_put(struct roles *roles, const char *name, const char *principal_id,
              const char *role_definition, const char *scope,
              const struct role_assignment **ret_assignment, struct error *err);
/* Borrowed; NULL where absent. */
const struct role_assignment *roles_find(const struct roles *roles, const char *name,
                                         const char *scope);
/* False when there was none. */
bool roles_remove(struct roles *roles, const char *name, const char *scope);
void roles_clear(struct roles *roles);

/* Does a principal with this object id or application id (either may be NULL) hold the role at the
 * scope or above it? An Owner is a Contributor and
 * a User Access Administrator too. True while the list is not in force. */
bool roles_allow(const struct roles *roles, const char *oid, const char *appid, const char *role_id,
                 const char *scope);

/* scope is `top` or below it, in any case. */
bool role_scope_is_below(const char *scope, const char *top);

/* "Azure ContainerApps Session Executor" for its id, and so on; the id itself when it is unknown.
 */
const char *role_title(const char *role_id);
