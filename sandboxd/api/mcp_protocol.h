/* mcp_protocol: versions of the Model Context Protocol, and how client and server agree on one.
 *
 * docs/api.md, "MCP".
 */
#pragma once

#include "base/json/rpc.h"

/* What a client of the service that names no version is told. */
#define MCP_VERSION_RECORDED "2025-03-26"
#define MCP_VERSION_NEWEST   "2025-11-25"

bool mcp_version_is_known(const char *version);
/* Lists of messages were taken out after 2025-03-26. NULL: a client that names none. */
bool mcp_version_has_batches(const char *version);

/* Writes the member "result" for `initialize`. params may be empty. ERROR_INVALID names the
 * member of params at fault. */
int mcp_write_initialize(struct json_span params, struct writer *writer, struct error *err);
