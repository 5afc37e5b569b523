#include "sandboxd/identity/roles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

static const struct {
    const char *id;
    const char *title;
} titles[] = {
    {ROLE_SESSION_EXECUTOR, "Azure ContainerApps Session Executor"},
    {ROLE_CONTRIBUTOR, "Contributor"},
    {ROLE_OWNER, "Owner"},
    {ROLE_ACCESS_ADMIN, "User Access Administrator"},
};

const char *role_title(const char *role_id)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        if (text_equal_ignoring_case(titles[i].id, role_id))
            return titles[i].title;
    }
    return role_id;
}

/* ---- the list ---- */

static int copy_guid(char ret_guid[GUID_TEXT_MAX], const char *member, const char *text,
                     struct error *err)
{
    if (!guid_is_valid(text))
        return error_set(err, ERROR_INVALID, "%s: \"%.80s\" is not a GUID", member, text);
    memcpy(ret_guid, text, GUID_TEXT_MAX);
    return 0;
}

/* A definition's id, or only the GUID that it ends in. */
static int copy_role(char ret_guid[GUID_TEXT_MAX], const char *definition, struct error *err)
{
    static const char member[] = "roleDefinitionId";
    const char *slash = strrchr(definition, '/');
    const char *word = slash ? slash + 1 : definition;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        if (text_equal_ignoring_case(titles[i].title, word))
            return error_set(err, ERROR_INVALID, "%s: \"%s\" is a role's name; give its id, %s",
                             member, titles[i].title, titles[i].id);
    }
    return copy_guid(ret_guid, member, word, err);
}

/* Length without slashes at the end; "/" keeps its one. */
static size_t scope_length(const char *scope)
{
    size_t length = strlen(scope);
    while (length > 1 && scope[length - 1] == '/')
        length--;
    return length;
}

static int read_assignment(struct role_assignment *item, const char *name, const char *principal_id,
                           const char *role_definition, const char *scope, struct error *err)
{
    if (copy_guid(item->name, "name", name, err) < 0 ||
        copy_guid(item->principal_id, "principalId", principal_id, err) < 0 ||
        copy_role(item->role_id, role_definition, err) < 0)
        return -1;

    size_t length = scope_length(scope);
    if (*scope != '/' || length >= sizeof item->scope)
        return error_set(err, ERROR_INVALID,
                         "scope: must begin with \"/\" and have at most %zu characters",
                         sizeof item->scope - 1);
    memcpy(item->scope, scope, length);
    return 0;
}

static struct role_assignment *find(const struct roles *roles, const char *name, const char *scope)
{
    size_t length = scope_length(scope);
    for (size_t i = 0; i < roles->count; i++) {
        struct role_assignment *item = &roles->items[i];
        if (text_equal_ignoring_case(item->name, name) && strlen(item->scope) == length &&
            strncasecmp(item->scope, scope, length) == 0)
            return item;
    }
    return NULL;
}

const struct role_assignment *roles_find(const struct roles *roles, const char *name,
                                         const char *scope)
{
    return find(roles, name, scope);
}

int roles_put(struct roles *roles, const char *name, const char *principal_id,
              const char *role_definition, const char *scope,
              const struct role_assignment **ret_assignment, struct error *err)
{
    struct role_assignment item = {0};
    if (read_assignment(&item, name, principal_id, role_definition, scope, err) < 0)
        return -1;

    struct role_assignment *place = find(roles, item.name, item.scope);
    if (!place) {
        if (roles->count >= ROLES_MAX)
            return error_set(err, ERROR_LIMIT, "there are %d role assignments already", ROLES_MAX);
        roles->items = xrealloc(roles->items, (roles->count + 1) * sizeof *roles->items);
        place = &roles->items[roles->count++];
    }
    *place = item;
    if (ret_assignment)
        *ret_assignment = place;
    return 0;
}

bool roles_remove(struct roles *roles, const char *name, const char *scope)
{
    struct role_assignment *item = find(roles, name, scope);
    if (!item)
        return false;
    *item = roles->items[--roles->count];
    return true;
}

void roles_clear(struct roles *roles)
{
    free(roles->items);
    *roles = (struct roles){0};
}

/* ---- the question ---- */

bool role_scope_is_below(const char *scope, const char *top)
{
    size_t length = strlen(top);
    if (strcmp(top, "/") == 0)
        return true;
    return strncasecmp(scope, top, length) == 0 && (!scope[length] || scope[length] == '/');
}

static bool is_role(const char *held, const char *wanted)
{
    if (text_equal_ignoring_case(held, wanted))
        return true;
    return text_equal_ignoring_case(held, ROLE_OWNER) &&
           (text_equal_ignoring_case(wanted, ROLE_CONTRIBUTOR) ||
            text_equal_ignoring_case(wanted, ROLE_ACCESS_ADMIN));
}

static bool is_principal(const char *held, const char *id)
{
    return id && text_equal_ignoring_case(held, id);
}

bool roles_allow(const struct roles *roles, const char *oid, const char *appid, const char *role_id,
                 const char *scope)
{
    if (!roles->enabled)
        return true;
    for (size_t i = 0; i < roles->count; i++) {
        const struct role_assignment *item = &roles->items[i];
        if ((is_principal(item->principal_id, oid) || is_principal(item->principal_id, appid)) &&
            is_role(item->role_id, role_id) && role_scope_is_below(scope, item->scope))
            return true;
    }
    return false;
}
