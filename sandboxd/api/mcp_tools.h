/* mcp_tools: the tools of an MCP endpoint: how they are listed, how a call of one is read, how its
 * result is written.
 *
 * Pure: a call comes in as JSON and becomes a program to run; a finished run becomes JSON.
 * docs/api.md, "MCP".
 */
#pragma once

#include "base/core/identifier.h"
#include "base/json/rpc.h"

struct run;

enum {
    /* Of one word of a command, without its NUL: MAX_ARG_STRLEN, execve(2). */
    MCP_WORD_BYTES_MAX = 128 * 1024 - 1,
    /* Of all words: half of what execve(2) takes with the usual stack, the rest is for the
     * environment (our limit). */
    MCP_WORDS_BYTES_MAX = 1024 * 1024,
};

enum mcp_action {
    MCP_LAUNCH,
    MCP_RUN_COMMAND,
    MCP_RUN_CODE,
};

/* Free with mcp_call_clear. */
struct mcp_call {
    enum mcp_action action;
    char environment[IDENTIFIER_LENGTH_MAX + 1]; /* "" for MCP_LAUNCH */
    struct buf code;                             /* as struct run has it */
};
void mcp_call_clear(struct mcp_call *call);

/* The parameters of tools/call. ERROR_INVALID names the argument at fault. */
int mcp_read_call(struct json_span params, struct mcp_call *ret_call, struct error *err);

/* The parameters of tools/list: ERROR_INVALID for a cursor, since all tools fit on one page. */
int mcp_check_list(struct json_span params, struct error *err);

/* Each writes the member "result". has_network: sessions of the pool have one; a model must know.
 */
void mcp_write_tools(bool has_network, struct writer *writer);
void mcp_write_launched(const char *environment, struct writer *writer);
/* run is over. */
void mcp_write_run(const char *environment, const struct run *run, struct writer *writer);
/* A call that came to nothing; the model reads why. */
void mcp_write_failure(const char *message, struct writer *writer);
