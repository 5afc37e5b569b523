#include "sandboxd/resource/pool_writer.h"

#include <stdio.h>
#include <string.h>

/* An origin and a path. */
enum { ENDPOINT_TEXT_MAX = 640 };

/* Where a pool is when nobody has said. */
static const char default_location[] = "local";

/* In the service it is the caller; here nobody asks who that is. */
static const char author[] = "local";

struct pool_view pool_view_of(const char *api_version, const char *origin,
                              const struct resource_id *id)
{
    return (struct pool_view){
        .form = strcmp(api_version, "2025-01-01") < 0 ? POOL_FORM_TIMED : POOL_FORM_LIFECYCLE,
        .with_mcp = strcmp(api_version, "2025-02-02") >= 0,
        .origin = origin,
        .id = id,
    };
}

static void write_raw(struct writer *writer, const char *key, const char *json)
{
    writer_raw(writer, key, json, strlen(json));
}

static void write_system_data(const struct pool_resource *resource, struct writer *writer)
{
    writer_open_object(writer, "systemData");
    writer_string(writer, "createdBy", author);
    writer_string(writer, "createdByType", "User");
    writer_time(writer, "createdAt", resource->created_ms * 1000);
    writer_string(writer, "lastModifiedBy", author);
    writer_string(writer, "lastModifiedByType", "User");
    writer_time(writer, "lastModifiedAt", resource->modified_ms * 1000);
    writer_close_object(writer);
}

static void write_scale(const struct pool_resource *resource, struct writer *writer)
{
    writer_open_object(writer, "scaleConfiguration");
    writer_integer(writer, "maxConcurrentSessions",
                   (int64_t)resource->settings.max_concurrent_sessions);
    if (resource->ready >= 0)
        writer_integer(writer, "readySessionInstances", resource->ready);
    writer_close_object(writer);
}

static void write_lifecycle(const struct pool_resource *resource, enum pool_form form,
                            struct writer *writer)
{
    writer_open_object(writer, "dynamicPoolConfiguration");
    if (form == POOL_FORM_LIFECYCLE)
        writer_open_object(writer, "lifecycleConfiguration");
    writer_string(writer, form == POOL_FORM_LIFECYCLE ? "lifecycleType" : "executionType", "Timed");
    writer_integer(writer, "cooldownPeriodInSeconds", resource->cooldown_s);
    if (form == POOL_FORM_LIFECYCLE)
        writer_close_object(writer);
    writer_close_object(writer);
}

static void write_endpoint(const struct pool_view *view, const char *suffix, const char *key,
                           struct writer *writer)
{
    char path[RESOURCE_ID_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
    resource_id_write_path(view->id, path);
    snprintf(text, sizeof text, "%s%s%s", view->origin, path, suffix);
    writer_string(writer, key, text);
}

static void write_mcp(const struct pool_resource *resource, const struct pool_view *view,
                      struct writer *writer)
{
    if (!resource->mcp_enabled && !view->with_mcp)
        return;
    writer_open_object(writer, "mcpServerSettings");
    writer_boolean(writer, "isMCPServerEnabled", resource->mcp_enabled);
    if (resource->mcp_enabled && view->origin)
        write_endpoint(view, "/mcp", "mcpServerEndpoint", writer);
    writer_close_object(writer);
}

static void write_properties(const struct pool_resource *resource, const struct pool_view *view,
                             struct writer *writer)
{
    writer_open_object(writer, "properties");
    writer_null(writer, "environmentId");
    writer_string(writer, "poolManagementType", "Dynamic");
    writer_string(writer, "containerType", "PythonLTS");
    write_scale(resource, writer);
    write_lifecycle(resource, view->form, writer);
    writer_open_object(writer, "sessionNetworkConfiguration");
    writer_string(writer, "status",
                  resource->settings.egress.enabled ? "EgressEnabled" : "EgressDisabled");
    writer_close_object(writer);
    if (resource->secrets)
        write_raw(writer, "secrets", resource->secrets);
    if (view->origin) {
        writer_string(writer, "provisioningState", "Succeeded");
        write_endpoint(view, "", "poolManagementEndpoint", writer);
    }
    write_raw(writer, "managedIdentitySettings",
              resource->managed_identities ? resource->managed_identities : "[]");
    write_mcp(resource, view, writer);
    if (resource->sandpool)
        write_raw(writer, "sandpool", resource->sandpool);
    writer_close_object(writer);
}

void pool_write(const struct pool_resource *resource, const struct pool_view *view, const char *key,
                struct writer *writer)
{
    char text[RESOURCE_ID_TEXT_MAX];
    resource_id_write(view->id, text);
    writer_open_object(writer, key);
    if (!resource_id_is_of_any(view->id))
        writer_string(writer, "id", text);
    writer_string(writer, "name", view->id->name);
    writer_string(writer, "type", "Microsoft.App/sessionpools");
    writer_string(writer, "location", resource->location ? resource->location : default_location);
    if (view->origin)
        write_system_data(resource, writer);
    if (resource->tags)
        write_raw(writer, "tags", resource->tags);
    write_properties(resource, view, writer);
    write_raw(writer, "identity", resource->identity ? resource->identity : "{\"type\":\"None\"}");
    writer_close_object(writer);
}
