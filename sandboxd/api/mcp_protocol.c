#include "sandboxd/api/mcp_protocol.h"

#include <string.h>

#include "base/json/json.h"

static const struct {
    const char *name;
    bool has_batches;
} versions[] = {
    {"2024-11-05", true},
    {MCP_VERSION_RECORDED, true},
    {"2025-06-18", false},
    {MCP_VERSION_NEWEST, false},
};

enum { VERSIONS = sizeof versions / sizeof *versions };

static size_t find_version(const char *version)
{
    size_t at = 0;
    while (at < VERSIONS && strcmp(versions[at].name, version) != 0)
        at++;
    return at;
}

bool mcp_version_is_known(const char *version)
{
    return find_version(version) < VERSIONS;
}

bool mcp_version_has_batches(const char *version)
{
    size_t at = find_version(version ? version : MCP_VERSION_RECORDED);
    return at < VERSIONS && versions[at].has_batches;
}

/* ---- initialize ---- */

static int read_params(struct json_span params, const char **ret_version, bool *ret_negotiates,
                       json_t **ret_document, struct error *err)
{
    json_t *client = NULL;
    *ret_version = NULL;
    *ret_negotiates = false;
    if (!params.start)
        return 0;
    if (json_parse(params.start, params.length, JSON_BYTES_MAX, ret_document, err) < 0)
        return error_add_context(err, "params");
    if (!json_is_object(*ret_document))
        return error_set(err, ERROR_INVALID, "params: must be an object");
    if (json_get_text_optional(*ret_document, "params", "protocolVersion", ret_version, err) < 0 ||
        json_get_object_optional(*ret_document, "params", "clientInfo", &client, err) < 0)
        return -1;
    *ret_negotiates = *ret_version && client;
    return 0;
}

/* The service's own shape is not that of the protocol: clients that negotiate get the latter. */
static void write_capabilities(struct writer *writer, bool negotiates)
{
    writer_open_object(writer, "capabilities");
    writer_open_object(writer, "tools");
    if (negotiates) {
        writer_boolean(writer, "listChanged", false);
    } else {
        writer_boolean(writer, "call", true);
        writer_boolean(writer, "list", true);
    }
    writer_close_object(writer);
    writer_close_object(writer);
}

static void write_server(struct writer *writer)
{
    writer_open_object(writer, "serverInfo");
    writer_string(writer, "name", "Microsoft Container Apps MCP Server");
    writer_string(writer, "version", SANDPOOL_VERSION);
    writer_close_object(writer);
}

int mcp_write_initialize(struct json_span params, struct writer *writer, struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    const char *version = NULL;
    bool negotiates = false;
    if (read_params(params, &version, &negotiates, &document, err) < 0)
        return -1;
    const char *agreed = !version                        ? MCP_VERSION_RECORDED
                         : mcp_version_is_known(version) ? version
                                                         : MCP_VERSION_NEWEST;
    writer_open_object(writer, "result");
    writer_string(writer, "protocolVersion", agreed);
    write_server(writer);
    write_capabilities(writer, negotiates);
    if (negotiates)
        writer_string(writer, "instructions",
                      "Call launchShell or launchPythonEnvironment once and pass the environmentId "
                      "to every run. Files in /mnt/data and Python variables stay until the "
                      "environment has not been used for some minutes. There is no network.");
    writer_close_object(writer);
    return 0;
}
