/* mcp: the MCP endpoint of a pool over HTTP: JSON-RPC messages in, their answers out.
 *
 * docs/api.md, "MCP".
 */
#pragma once

struct exchange;

/* POST mcp; the key has been checked. */
void mcp_handle(struct exchange *exchange);
/* GET and DELETE: no stream is offered and no protocol session is kept. */
void mcp_refuse_method(struct exchange *exchange);
