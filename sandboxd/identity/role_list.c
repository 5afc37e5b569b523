#include "sandboxd/identity/role_list.h"

#include <stdio.h>

#include "base/core/state_file.h"
#include "base/json/json_file.h"
#include "base/json/writer.h"

static const char file_name[] = "role-assignments.json";

enum {
    PATH_TEXT_MAX = 64,
    FILE_BYTES_MAX = ROLES_MAX * 1024, /* an assignment has at most some 700 bytes */
};

static int read_one(json_t *object, const char *path, struct roles *roles, struct error *err)
{
    const char *principal = NULL, *definition = NULL, *scope = NULL;
    char made[GUID_TEXT_MAX];
    const char *name = made;
    random_guid(made);
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (json_get_text_optional(object, path, "name", &name, err) < 0 ||
        json_get_text(object, path, "principalId", &principal, err) < 0 ||
        json_get_text(object, path, "roleDefinitionId", &definition, err) < 0 ||
        json_get_text(object, path, "scope", &scope, err) < 0)
        return -1;
    if (roles_put(roles, name, principal, definition, scope, NULL, err) < 0)
        return error_add_context(err, "%s", path);
    return 0;
}

int role_list_read(struct json_t *list, const char *path, struct roles *roles, struct error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char here[PATH_TEXT_MAX];
        snprintf(here, sizeof here, "%s[%zu]", path, i);
        if (read_one(json_array_get(list, i), here, roles, err) < 0)
            return -1;
    }
    return 0;
}

int role_list_load(int state_fd, struct roles *roles, struct error *err)
{
    AUTO_JSON json_t *list = NULL;
    if (json_file_read(state_fd, file_name, STATE_FILE_SECRET, FILE_BYTES_MAX, &list, err) < 0)
        return err->code == ERROR_MISSING ? 0 : -1;
    if (!json_is_array(list))
        return error_set(err, ERROR_INVALID, "%s: must be an array", file_name);
    return role_list_read(list, file_name, roles, err);
}

int role_list_save(int state_fd, const struct roles *roles, struct error *err)
{
    AUTO_BUF struct buf text = {.limit = FILE_BYTES_MAX};
    struct writer writer = writer_begin(&text, false);
    writer_open_array(&writer, NULL);
    for (size_t i = 0; i < roles->count; i++) {
        const struct role_assignment *item = &roles->items[i];
        writer_open_object(&writer, NULL);
        writer_string(&writer, "name", item->name);
        writer_string(&writer, "principalId", item->principal_id);
        writer_string(&writer, "roleDefinitionId", item->role_id);
        writer_string(&writer, "scope", item->scope);
        writer_close_object(&writer);
    }
    writer_close_array(&writer);
    if (writer_finish(&writer, err) < 0)
        return -1;
    return state_file_write(state_fd, file_name, STATE_FILE_SECRET, text.data, text.length, err);
}
