#include "sandboxd/api/mcp_tools.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/json/json.h"

#define ENVIRONMENT_SCHEMA                                                                         \
    "\"environmentId\":{\"type\":\"string\",\"minLength\":4,\"maxLength\":128,"                    \
    "\"description\":\"The environmentId that a launch tool returned.\"}"
#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{}}"

static const char command_schema[] =
    "{\"type\":\"object\",\"properties\":{" ENVIRONMENT_SCHEMA ","
    "\"shellCommand\":{\"type\":\"string\",\"description\":\"A command line for bash. Give this or "
    "execCommandAndArgs.\"},"
    "\"execCommandAndArgs\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,"
    "\"description\":\"A program and its arguments, run as they are without a shell. Give this or "
    "shellCommand.\"}},"
    "\"required\":[\"environmentId\"]}";

static const char code_schema[] =
    "{\"type\":\"object\",\"properties\":{" ENVIRONMENT_SCHEMA ","
    "\"pythonCode\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Python source, as one "
    "cell of a notebook.\"}},"
    "\"required\":[\"environmentId\",\"pythonCode\"]}";

static const struct tool {
    const char *name;
    enum mcp_action action;
    const char *title;
    const char *description;
    const char *schema;
} tools[] = {
    {"launchShell", MCP_LAUNCH, "Launch a shell environment",
     "Returns the environmentId of a new, empty Linux sandbox for "
     "runShellCommandInRemoteEnvironment and runPythonCodeInRemoteEnvironment. Launch one for each "
     "task and keep using it.",
     NO_ARGUMENTS},
    {"launchPythonEnvironment", MCP_LAUNCH, "Launch a Python environment",
     "The same as launchShell: returns the environmentId of a new, empty Linux sandbox with "
     "Python.",
     NO_ARGUMENTS},
    {"runShellCommandInRemoteEnvironment", MCP_RUN_COMMAND, "Run a shell command",
     "Runs a command in the sandbox and returns stdout, stderr and exitCode. Each call is a fresh "
     "shell in /mnt/data: files stay, the working directory and variables do not. No terminal, no "
     "input.",
     command_schema},
    {"runPythonCodeInRemoteEnvironment", MCP_RUN_CODE, "Run Python code",
     "Runs Python in the sandbox's notebook and returns stdout, stderr and, as executionResult, "
     "the value of the last expression; a figure comes back as an image. Variables, imports and "
     "files in /mnt/data stay for later calls.",
     code_schema},
};

enum { TOOLS = sizeof tools / sizeof *tools };

static const char no_network[] = "No network.";
static const char some_network[] = "The network can be reached, as far as this pool allows it.";

static void write_tool(const struct tool *tool, bool has_network, struct writer *writer)
{
    bool runs = tool->action != MCP_LAUNCH;
    AUTO_FREE char *description =
        runs ? xasprintf("%s %s", tool->description, has_network ? some_network : no_network)
             : xstrdup(tool->description);
    writer_open_object(writer, NULL);
    writer_string(writer, "name", tool->name);
    writer_string(writer, "title", tool->title);
    writer_string(writer, "description", description);
    writer_raw(writer, "inputSchema", tool->schema, strlen(tool->schema));
    writer_open_object(writer, "annotations");
    writer_string(writer, "title", tool->title);
    writer_boolean(writer, "readOnlyHint", false);
    /* What runs may overwrite files of the sandbox. */
    writer_boolean(writer, "destructiveHint", runs);
    writer_boolean(writer, "idempotentHint", false);
    writer_boolean(writer, "openWorldHint", runs && has_network);
    writer_close_object(writer);
    writer_close_object(writer);
}

void mcp_write_tools(bool has_network, struct writer *writer)
{
    writer_open_object(writer, "result");
    writer_open_array(writer, "tools");
    for (size_t i = 0; i < TOOLS; i++)
        write_tool(&tools[i], has_network, writer);
    writer_close_array(writer);
    writer_close_object(writer);
}

int mcp_check_list(struct json_span params, struct error *err)
{
    static const char *const names[] = {"cursor", NULL};
    struct json_span cursor = {0};
    if (!params.start)
        return 0;
    if (json_scan_members(params.start, params.length, names, &cursor, err) < 0)
        return error_add_context(err, "params");
    if (cursor.start && *cursor.start != 'n') /* null */
        return error_set(err, ERROR_INVALID, "params.cursor: unknown; all tools are on one page");
    return 0;
}

/* ---- a call ---- */

void mcp_call_clear(struct mcp_call *call)
{
    buf_free(&call->code);
}

static const struct tool *find_tool(const char *name)
{
    for (size_t i = 0; i < TOOLS; i++) {
        if (strcmp(tools[i].name, name) == 0)
            return &tools[i];
    }
    return NULL;
}

static int read_environment(json_t *arguments, struct mcp_call *call, struct error *err)
{
    const char *text = NULL;
    if (json_get_text(arguments, "arguments", "environmentId", &text, err) < 0)
        return -1;
    size_t length = json_string_length(json_object_get(arguments, "environmentId"));
    if (!identifier_is_valid(text, length))
        return error_set(err, ERROR_INVALID,
                         "arguments.environmentId: must be %d to %d printable ASCII characters "
                         "without spaces",
                         IDENTIFIER_LENGTH_MIN, IDENTIFIER_LENGTH_MAX);
    memcpy(call->environment, text, length + 1);
    return 0;
}

static int append_text(const json_t *text, const char *key, size_t least, size_t most,
                       struct buf *code, struct error *err)
{
    const char *value = json_string_value(text);
    size_t length = json_string_length(text);
    if (!value || length < least || memchr(value, '\0', length))
        return error_set(err, ERROR_INVALID, "arguments.%s: must be a string%s without NULs", key,
                         least > 0 ? " that is not empty and" : "");
    if (length > most || !buf_append(code, value, length))
        return error_set(err, ERROR_INVALID,
                         "arguments.%s: longer than %zu bytes; upload it as a file and run that",
                         key, most);
    return 0;
}

static int append_word(const json_t *text, const char *key, size_t least, struct buf *code,
                       struct error *err)
{
    if (append_text(text, key, least, MCP_WORD_BYTES_MAX, code, err) < 0)
        return -1;
    if (!buf_append(code, "", 1))
        return error_set(err, ERROR_INVALID, "arguments.%s: longer than %d bytes in all", key,
                         MCP_WORDS_BYTES_MAX);
    return 0;
}

/* Arguments may be empty, the program's name may not. */
static int append_words(json_t *words, struct buf *code, struct error *err)
{
    static const char key[] = "execCommandAndArgs";
    if (!json_is_array(words) || json_array_size(words) == 0)
        return error_set(err, ERROR_INVALID,
                         "arguments.%s: must be a list of strings: a program and its arguments",
                         key);
    for (size_t i = 0; i < json_array_size(words); i++) {
        if (append_word(json_array_get(words, i), key, i == 0, code, err) < 0)
            return -1;
    }
    return 0;
}

static int read_command(json_t *arguments, struct mcp_call *call, struct error *err)
{
    /* A command line may begin with a hyphen. */
    static const char shell[] = "bash\0-c\0--";
    json_t *line = json_object_get(arguments, "shellCommand");
    json_t *words = json_object_get(arguments, "execCommandAndArgs");
    bool has_line = line && !json_is_null(line), has_words = words && !json_is_null(words);
    if (has_line == has_words)
        return error_set(err, ERROR_INVALID,
                         "arguments.shellCommand: give either shellCommand or execCommandAndArgs");
    call->code.limit = MCP_WORDS_BYTES_MAX;
    if (has_words)
        return append_words(words, &call->code, err);
    buf_append(&call->code, shell, sizeof shell);
    return append_word(line, "shellCommand", 1, &call->code, err);
}

static int read_arguments(json_t *arguments, struct mcp_call *call, struct error *err)
{
    if (call->action == MCP_LAUNCH)
        return 0;
    if (read_environment(arguments, call, err) < 0)
        return -1;
    if (call->action == MCP_RUN_COMMAND)
        return read_command(arguments, call, err);
    return append_text(json_object_get(arguments, "pythonCode"), "pythonCode", 1, JSON_BYTES_MAX,
                       &call->code, err);
}

int mcp_read_call(struct json_span params, struct mcp_call *ret_call, struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    AUTO_JSON json_t *none = json_object();
    json_t *arguments = NULL;
    const char *name = NULL;
    *ret_call = (struct mcp_call){0};
    if (!params.start)
        return error_set(err, ERROR_INVALID, "params: must be an object with name and arguments");
    if (json_parse_with_nuls(params.start, params.length, JSON_BYTES_MAX, &document, err) < 0)
        return error_add_context(err, "params");
    if (!json_is_object(document))
        return error_set(err, ERROR_INVALID, "params: must be an object with name and arguments");
    if (json_get_text(document, "params", "name", &name, err) < 0 ||
        json_get_object_optional(document, "params", "arguments", &arguments, err) < 0)
        return -1;
    const struct tool *tool = find_tool(name);
    if (!tool)
        return error_set(err, ERROR_INVALID, "params.name: unknown tool \"%.64s\"; see tools/list",
                         name);
    ret_call->action = tool->action;
    if (read_arguments(arguments ? arguments : none, ret_call, err) == 0)
        return 0;
    mcp_call_clear(ret_call);
    return -1;
}
