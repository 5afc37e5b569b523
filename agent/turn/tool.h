/* tool: what a model may call, and how its calls are read.
 *
 * Pure. One table has the name, the description and the schema of every tool; a call is turned into
 * a request or into the sentence that answers it. Nothing is run for a call that cannot be read.
 */
#pragma once

#include <stdbool.h>

#include "agent/llm/llm.h"

enum tool_kind { TOOL_PYTHON, TOOL_LIST, TOOL_SHELL, TOOL_DOWNLOAD, TOOL_KINDS };

/* Which tools there are. */
struct tool_set {
    bool has_shell;
    bool has_download;
    bool is_langchain; /* run_python is called Python_REPL, and described as LangChain does */
    struct llm_tool tools[TOOL_KINDS];
    size_t count;
};
/* Fills tools and count from the other members. */
void tool_set_begin(struct tool_set *set);
/* The name by which programs are run. */
const char *tool_python_name(const struct tool_set *set);

/* What a call asks for. Free with tool_request_clear. */
struct tool_request {
    enum tool_kind kind;
    char *code;  /* PYTHON, SHELL: the program */
    char *shown; /* what the model wrote: code, command or path; "" for LIST */
};
void tool_request_clear(struct tool_request *request);

/* -1 with *err set when the call cannot be run: the message is its answer. */
int tool_read_call(const struct tool_set *set, const struct llm_call *call,
                   struct tool_request *ret_request, struct error *err);
