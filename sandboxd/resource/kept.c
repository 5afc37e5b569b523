#include "sandboxd/resource/kept.h"

#include <stdio.h>

#include "base/core/text.h"
#include "sandboxd/resource/pool_resource.h"

char *kept_text(json_t *value)
{
    return json_dumps(value, JSON_COMPACT);
}

int kept_read_tags(json_t *document, const char *path, char **ret_text, struct error *err)
{
    json_t *tags = NULL, *value;
    const char *name;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "tags");
    if (json_get_object_optional(document, path, "tags", &tags, err) < 0)
        return -1;
    if (!tags)
        return 0;
    if (json_object_size(tags) > RESOURCE_TAGS_MAX)
        return error_set(err, ERROR_INVALID, "%s: must be at most %d", here, RESOURCE_TAGS_MAX);
    AUTO_JSON json_t *kept = json_object();
    json_object_foreach(tags, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return error_set(err, ERROR_INVALID, "%s.%.64s: must be a string", here, name);
        if (json_is_string(value))
            json_object_set(kept, name, value);
    }
    *ret_text = kept_text(kept);
    return 0;
}

static bool is_identity_type(const char *type)
{
    static const char *const types[] = {"None", "SystemAssigned", "UserAssigned",
                                        "SystemAssigned, UserAssigned",
                                        "SystemAssigned,UserAssigned"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (text_equal_ignoring_case(types[i], type))
            return true;
    }
    return false;
}

int kept_read_identity(json_t *document, const char *path, char **ret_text, struct error *err)
{
    json_t *identity = NULL, *assigned = NULL, *value;
    const char *type = "None", *name;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "identity");
    if (json_get_object_optional(document, path, "identity", &identity, err) < 0 ||
        json_get_text_optional(identity, here, "type", &type, err) < 0 ||
        json_get_object_optional(identity, here, "userAssignedIdentities", &assigned, err) < 0)
        return -1;
    if (!identity)
        return 0;
    if (!is_identity_type(type))
        return error_set(err, ERROR_INVALID,
                         "%s.type: is \"%.64s\"; it must be None, SystemAssigned, UserAssigned or "
                         "\"SystemAssigned, UserAssigned\"",
                         here, type);
    AUTO_JSON json_t *kept = json_pack("{s:s}", "type", type);
    if (assigned) {
        json_t *names = json_object();
        json_object_set_new(kept, "userAssignedIdentities", names);
        json_object_foreach(assigned, name, value)
        {
            json_object_set_new(names, name, json_object());
        }
    }
    *ret_text = kept_text(kept);
    return 0;
}

int kept_read_managed_identities(json_t *properties, const char *path, char **ret_text,
                                 struct error *err)
{
    json_t *list = NULL, *item;
    size_t i;
    if (json_get_array_optional(properties, path, "managedIdentitySettings", &list, err) < 0)
        return -1;
    if (!list)
        return 0;
    AUTO_JSON json_t *kept = json_array();
    json_array_foreach(list, i, item)
    {
        const char *identity = NULL, *lifecycle = "All";
        char here[JSON_PATH_TEXT_MAX];
        snprintf(here, sizeof here, "%s.managedIdentitySettings[%zu]", path, i);
        if (!json_is_object(item))
            return error_set(err, ERROR_INVALID, "%s: must be an object", here);
        if (json_get_text(item, here, "identity", &identity, err) < 0 ||
            json_get_text_optional(item, here, "lifecycle", &lifecycle, err) < 0)
            return -1;
        json_array_append_new(kept,
                              json_pack("{s:s,s:s}", "identity", identity, "lifecycle", lifecycle));
    }
    *ret_text = kept_text(kept);
    return 0;
}

int kept_read_secrets(json_t *properties, const char *path, char **ret_text, struct error *err)
{
    json_t *list = NULL, *item;
    size_t i;
    if (json_get_array_optional(properties, path, "secrets", &list, err) < 0)
        return -1;
    if (json_array_size(list) == 0)
        return 0;
    AUTO_JSON json_t *kept = json_array();
    json_array_foreach(list, i, item)
    {
        const char *name = NULL, *value = NULL;
        char here[JSON_PATH_TEXT_MAX];
        snprintf(here, sizeof here, "%s.secrets[%zu]", path, i);
        if (!json_is_object(item))
            return error_set(err, ERROR_INVALID, "%s: must be an object", here);
        if (json_get_text(item, here, "name", &name, err) < 0 ||
            json_get_text_optional(item, here, "value", &value, err) < 0)
            return -1;
        json_array_append_new(kept, json_pack("{s:s}", "name", name));
    }
    *ret_text = kept_text(kept);
    return 0;
}
