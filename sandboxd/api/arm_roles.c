#include "sandboxd/api/arm_roles.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "base/json/writer.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/identity/role_list.h"

enum {
    BODY_BYTES_MAX = 16 * 1024,
    TAIL_SEGMENTS = 3, /* providers, Microsoft.Authorization, roleAssignments */
    TYPE_TEXT_MAX = 32,
};

/* ---- where ---- */

/* What comes before /providers/Microsoft.Authorization. Segments with a slash inside would make one
 * scope look like another. */
static bool read_scope(struct exchange *exchange, char ret_scope[ROLE_SCOPE_BYTES_MAX])
{
    const struct http_target *target = &exchange->target;
    size_t tail = TAIL_SEGMENTS + (exchange->match.words[0] ? 1 : 0);
    AUTO_BUF struct buf scope = {.limit = ROLE_SCOPE_BYTES_MAX - 1};
    bool fits = true;
    for (size_t i = 0; i + tail < target->segment_count; i++) {
        for (const char *p = target->segments[i]; *p; p++)
            fits = fits && (isalnum((unsigned char)*p) || strchr("-_.()", *p));
        fits = fits && buf_printf(&scope, "/%s", target->segments[i]);
    }
    if (!fits) {
        exchange_fail(exchange, SERVICE_ARM_INVALID_CONTENT, "scope",
                      "the scope must have less than %d letters, digits and -_.() in each part",
                      ROLE_SCOPE_BYTES_MAX);
        return false;
    }
    snprintf(ret_scope, ROLE_SCOPE_BYTES_MAX, "%s", scope.data ? scope.data : "/");
    return true;
}

/* ---- answers ---- */

/* principal_type is kept by nobody: NULL leaves it out. */
static void write_assignment(const struct role_assignment *item, const char *principal_type,
                             struct writer *writer)
{
    AUTO_BUF struct buf id = {0}, definition = {0};
    const char *above = strcmp(item->scope, "/") == 0 ? "" : item->scope;
    buf_printf(&id, "%s/providers/Microsoft.Authorization/roleAssignments/%s", above, item->name);
    size_t subscription = 0; /* length of "/subscriptions/S" */
    if (text_starts_with(item->scope, "/subscriptions/"))
        subscription =
            strlen("/subscriptions/") + strcspn(item->scope + strlen("/subscriptions/"), "/");
    buf_printf(&definition, "%.*s/providers/Microsoft.Authorization/roleDefinitions/%s",
               (int)subscription, item->scope, item->role_id);

    writer_open_object(writer, NULL);
    writer_string(writer, "id", id.data);
    writer_string(writer, "name", item->name);
    writer_string(writer, "type", "Microsoft.Authorization/roleAssignments");
    writer_open_object(writer, "properties");
    writer_string(writer, "roleDefinitionId", definition.data);
    writer_string(writer, "principalId", item->principal_id);
    if (principal_type)
        writer_string(writer, "principalType", principal_type);
    writer_string(writer, "scope", item->scope);
    writer_close_object(writer);
    writer_close_object(writer);
}

static void respond_with(struct exchange *exchange, unsigned status,
                         const struct role_assignment *item, const char *principal_type)
{
    AUTO_BUF struct buf body = {0};
    struct writer writer = writer_begin(&body, false);
    write_assignment(item, principal_type, &writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, status, &body);
}

static void fail(struct exchange *exchange, const struct error *err)
{
    static const enum service_code codes[] = {
        [ERROR_INVALID] = SERVICE_ARM_INVALID_CONTENT,
        [ERROR_CONFLICT] = SERVICE_ARM_ROLE_EXISTS,
        [ERROR_LIMIT] = SERVICE_ARM_QUOTA_EXCEEDED,
    };
    bool is_ours = err->number == 0 && err->code <= ERROR_LIMIT && codes[err->code];
    exchange_fail(exchange, is_ours ? codes[err->code] : problem_of_state(err), NULL, "%s",
                  err->message);
}

/* ---- one ---- */

/* Not to be changed here: the configuration would bring it back. */
static bool may_change(struct exchange *exchange, const char *name, const char *scope)
{
    const struct front *front = exchange->front;
    if (front->kept_roles_are_unknown) {
        exchange_fail(exchange, SERVICE_ARM_CONFLICT, NULL,
                      "role-assignments.json of the state directory could not be read and would be "
                      "lost: mend or remove it, and start again");
        return false;
    }
    if (!roles_find(&front->roles, name, scope) || roles_find(&front->kept_roles, name, scope))
        return true;
    exchange_fail(exchange, SERVICE_ARM_CONFLICT, NULL,
                  "the role assignment belongs to the daemon's configuration file: change it there "
                  "and start again");
    return false;
}

/* The service has one assignment of a role to a principal at a scope. */
static int refuse_twin(const struct roles *roles, const struct role_assignment *item,
                       struct error *err)
{
    for (size_t i = 0; i < roles->count; i++) {
        const struct role_assignment *other = &roles->items[i];
        if (text_equal_ignoring_case(other->scope, item->scope) &&
            text_equal_ignoring_case(other->principal_id, item->principal_id) &&
            text_equal_ignoring_case(other->role_id, item->role_id) &&
            !text_equal_ignoring_case(other->name, item->name))
            return error_set(err, ERROR_CONFLICT, "the role assignment exists already as %s",
                             other->name);
    }
    return 0;
}

static int put_into(struct roles *roles, const struct role_assignment *item, struct error *err)
{
    return roles_put(roles, item->name, item->principal_id, item->role_id, item->scope, NULL, err);
}

/* As it was before; NULL: not there. */
static void restore(struct roles *roles, const struct role_assignment *item,
                    const struct role_assignment *before)
{
    roles_remove(roles, item->name, item->scope);
    if (before)
        put_into(roles, before, NULL);
}

/* What cannot be kept is not in force either. */
static int put(struct front *front, const struct role_assignment *item, struct error *err)
{
    if (refuse_twin(&front->roles, item, err) < 0)
        return -1;
    const struct role_assignment *found = roles_find(&front->kept_roles, item->name, item->scope);
    struct role_assignment before = found ? *found : (struct role_assignment){0};
    if (put_into(&front->kept_roles, item, err) == 0 && put_into(&front->roles, item, err) == 0 &&
        role_list_save(front->state_fd, &front->kept_roles, err) == 0)
        return 0;
    restore(&front->kept_roles, item, found ? &before : NULL);
    restore(&front->roles, item, found ? &before : NULL);
    return -1;
}

/* The body as an assignment at the scope. type_text receives the kind of principal, for the answer.
 */
static int read_body(const struct exchange *exchange, const char *name, const char *scope,
                     struct role_assignment *ret_item, char type_text[TYPE_TEXT_MAX],
                     struct error *err)
{
    static const char path[] = "properties";
    AUTO_JSON json_t *document = NULL;
    json_t *properties = NULL;
    const char *principal = NULL, *definition = NULL, *type = "User";
    struct roles one = {0};
    const struct role_assignment *item = NULL;
    if (json_parse(exchange->body.data, exchange->body.length, BODY_BYTES_MAX, &document, err) <
            0 ||
        json_get_object_optional(document, "", path, &properties, err) < 0 ||
        json_get_text(properties, path, "roleDefinitionId", &definition, err) < 0 ||
        json_get_text(properties, path, "principalId", &principal, err) < 0 ||
        json_get_text_optional(properties, path, "principalType", &type, err) < 0 ||
        roles_put(&one, name, principal, definition, scope, &item, err) < 0)
        return -1;
    *ret_item = *item;
    snprintf(type_text, TYPE_TEXT_MAX, "%s", type);
    roles_clear(&one);
    return 0;
}

void arm_role_put(struct exchange *exchange)
{
    char scope[ROLE_SCOPE_BYTES_MAX], type[TYPE_TEXT_MAX];
    const char *name = exchange->match.words[0];
    struct role_assignment item;
    struct error err = {0};
    if (!read_scope(exchange, scope) || !may_change(exchange, name, scope))
        return;
    if (read_body(exchange, name, scope, &item, type, &err) < 0 ||
        put(exchange->front, &item, &err) < 0)
        fail(exchange, &err);
    else
        respond_with(exchange, 201, &item, type);
}

void arm_role_show(struct exchange *exchange)
{
    char scope[ROLE_SCOPE_BYTES_MAX];
    const char *name = exchange->match.words[0];
    if (!read_scope(exchange, scope))
        return;
    const struct role_assignment *item = roles_find(&exchange->front->roles, name, scope);
    if (item)
        respond_with(exchange, 200, item, NULL);
    else
        exchange_fail(exchange, SERVICE_ARM_ROLE_NOT_FOUND, NULL,
                      "there is no role assignment \"%.64s\" at this scope", name);
}

void arm_role_delete(struct exchange *exchange)
{
    char scope[ROLE_SCOPE_BYTES_MAX];
    struct front *front = exchange->front;
    const char *name = exchange->match.words[0];
    struct error err = {0};
    if (!read_scope(exchange, scope) || !may_change(exchange, name, scope))
        return;
    const struct role_assignment *found = roles_find(&front->kept_roles, name, scope);
    if (!found) {
        exchange_respond_empty(exchange, 204);
        return;
    }
    struct role_assignment item = *found;
    roles_remove(&front->kept_roles, name, scope);
    roles_remove(&front->roles, name, scope);
    if (role_list_save(front->state_fd, &front->kept_roles, &err) < 0)
        fail(exchange, &err); /* gone for now; it may be back after a restart, so say it failed */
    else
        respond_with(exchange, 200, &item, NULL);
}

/* ---- several ---- */

/* The text in quotes of `principalId eq '...'` and `assignedTo('...')`; other filters, such as
 * `atScope()`, take nothing away. */
static bool passes(const char *filter, const struct role_assignment *item)
{
    const char *quote = filter ? strchr(filter, '\'') : NULL;
    return !quote || (strncasecmp(quote + 1, item->principal_id, strlen(item->principal_id)) == 0 &&
                      quote[1 + strlen(item->principal_id)] == '\'');
}

/* Those at the scope, above and below it: what can act there. */
void arm_role_list(struct exchange *exchange)
{
    char scope[ROLE_SCOPE_BYTES_MAX];
    const struct roles *roles = &exchange->front->roles;
    const char *filter = http_target_parameter(&exchange->target, "$filter");
    AUTO_BUF struct buf body = {0};
    if (!read_scope(exchange, scope))
        return;
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, "value");
    for (size_t i = 0; i < roles->count; i++) {
        const struct role_assignment *item = &roles->items[i];
        if ((role_scope_is_below(item->scope, scope) || role_scope_is_below(scope, item->scope)) &&
            passes(filter, item))
            write_assignment(item, NULL, &writer);
    }
    writer_close_array(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

/* ---- start, and the end of a resource ---- */

void arm_roles_load(struct front *front)
{
    struct error err = {0};
    if (role_list_load(front->state_fd, &front->kept_roles, &err) < 0) {
        log_error("role_assignments.not_loaded", "error=\"%s\"", err.message);
        roles_clear(&front->kept_roles);
        front->kept_roles_are_unknown = true;
    }
    for (size_t i = 0; i < front->kept_roles.count; i++) {
        const struct role_assignment *item = &front->kept_roles.items[i];
        if (!roles_find(&front->roles, item->name, item->scope) &&
            put_into(&front->roles, item, &err) < 0)
            log_error("role_assignment.not_loaded", "name=%s error=\"%s\"", item->name,
                      err.message);
    }
}

void arm_roles_forget_below(struct front *front, const char *scope)
{
    struct error err = {0};
    size_t before = front->kept_roles.count;
    for (size_t i = before; i-- > 0;) {
        struct role_assignment item = front->kept_roles.items[i];
        if (!role_scope_is_below(item.scope, scope))
            continue;
        roles_remove(&front->kept_roles, item.name, item.scope);
        roles_remove(&front->roles, item.name, item.scope);
    }
    if (front->kept_roles.count < before &&
        role_list_save(front->state_fd, &front->kept_roles, &err) < 0)
        log_error("role_assignments.not_kept", "error=\"%s\"", err.message);
}
