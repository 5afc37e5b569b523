#include "agent/turn/tool.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"

enum {
    ARGUMENTS_BYTES_MAX = 1024 * 1024,
    PATH_BYTES_MAX = 4096,
};

#define PARAMETER(name, text)                                                                      \
    "{\"type\":\"object\",\"properties\":{\"" name                                                 \
    "\":{\"type\":\"string\",\"description\":\"" text "\"}},\"required\":[\"" name                 \
    "\"],\"additionalProperties\":false}"

static const struct tool {
    const char *name;
    const char *description;
    const char *argument; /* its only one; NULL: none */
    const char *parameters;
} tools[TOOL_KINDS] = {
    [TOOL_PYTHON] = {"run_python",
                     "Runs a Python program in the sandbox and returns what it printed and the "
                     "value of its last expression. Variables and files stay.",
                     "code", PARAMETER("code", "The program")},
    [TOOL_LIST] = {"list_files", "Lists the files in /mnt/data with their sizes.", NULL,
                   "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"},
    [TOOL_SHELL] = {"run_shell",
                    "Runs a command with bash in the sandbox, in /mnt/data, and returns what it "
                    "printed and its exit status.",
                    "command", PARAMETER("command", "The command line")},
    [TOOL_DOWNLOAD] = {"download_file",
                       "Gives the user a file that a program made, when the user asked for it.",
                       "path", PARAMETER("path", "The file, in /mnt/data")},
};

/* As LangChain's SessionsPythonREPLTool has it. */
static const struct llm_tool langchain = {
    "Python_REPL",
    "A Python shell. Use this to execute python commands when you need to perform calculations or "
    "computations. Input should be a valid python command. Returns a JSON object with the result, "
    "stdout, and stderr. ",
    PARAMETER("python_code", "The program")};

void tool_set_begin(struct tool_set *set)
{
    set->count = 0;
    for (int kind = 0; kind < TOOL_KINDS; kind++) {
        if ((kind == TOOL_SHELL && !set->has_shell) ||
            (kind == TOOL_DOWNLOAD && !set->has_download))
            continue;
        set->tools[set->count++] =
            kind == TOOL_PYTHON && set->is_langchain
                ? langchain
                : (struct llm_tool){tools[kind].name, tools[kind].description,
                                    tools[kind].parameters};
    }
}

const char *tool_python_name(const struct tool_set *set)
{
    return set->is_langchain ? langchain.name : tools[TOOL_PYTHON].name;
}

void tool_request_clear(struct tool_request *request)
{
    free(request->code);
    free(request->shown);
    *request = (struct tool_request){0};
}

/* TOOL_KINDS: there is none of that name. */
static enum tool_kind find(const struct tool_set *set, const char *name)
{
    bool is_offered = false;
    for (size_t i = 0; i < set->count; i++)
        is_offered |= strcmp(set->tools[i].name, name) == 0;
    if (!is_offered)
        return TOOL_KINDS;
    if (strcmp(name, tool_python_name(set)) == 0)
        return TOOL_PYTHON;
    int kind = 0;
    while (kind < TOOL_KINDS && strcmp(tools[kind].name, name) != 0)
        kind++;
    return (enum tool_kind)kind;
}

static int refuse_name(const struct tool_set *set, const char *name, struct error *err)
{
    AUTO_BUF struct buf names = {0};
    for (size_t i = 0; i < set->count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", set->tools[i].name);
    return error_set(err, ERROR_INVALID, "Not run: there is no tool %.80s. The tools are: %s.",
                     name, names.data);
}

/* The exit status is the value; the streams are those of the command. */
static char *shell_program(const char *command)
{
    AUTO_JSON json_t *text = json_string(command);
    AUTO_FREE char *quoted = json_dumps(text, JSON_ENCODE_ANY);
    return xasprintf("import subprocess as _s, sys as _y\n"
                     "_r = _s.run(['bash', '-c', %s], cwd='/mnt/data', stdin=_s.DEVNULL, "
                     "capture_output=True)\n"
                     "print(_r.stdout.decode('utf-8', 'replace'), end='')\n"
                     "print(_r.stderr.decode('utf-8', 'replace'), end='', file=_y.stderr)\n"
                     "_r.returncode",
                     quoted ? quoted : "''");
}

int tool_read_call(const struct tool_set *set, const struct llm_call *call,
                   struct tool_request *ret_request, struct error *err)
{
    const char *name = call->name ? call->name : "";
    enum tool_kind kind = find(set, name);
    if (kind == TOOL_KINDS)
        return refuse_name(set, name, err);

    const char *text = call->arguments && *call->arguments ? call->arguments : "{}";
    AUTO_JSON json_t *arguments = NULL;
    const char *argument =
        kind == TOOL_PYTHON && set->is_langchain ? "python_code" : tools[kind].argument;
    const char *value = "";
    if (json_parse(text, strlen(text), ARGUMENTS_BYTES_MAX, &arguments, err) < 0)
        return error_add_context(err, "Not run: the arguments of %s", name);
    if (!json_is_object(arguments))
        return error_set(err, ERROR_INVALID, "Not run: the arguments of %s must be an object.",
                         name);
    if (argument && json_get_text(arguments, "", argument, &value, err) < 0)
        return error_add_context(err, "Not run: the arguments of %s", name);
    if (argument && value[strspn(value, " \t\r\n")] == '\0')
        return error_set(err, ERROR_INVALID, "Not run: \"%s\" of %s is empty.", argument, name);
    if (kind == TOOL_DOWNLOAD && strlen(value) > PATH_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "Not run: the path is longer than %d bytes.",
                         PATH_BYTES_MAX);
    *ret_request = (struct tool_request){.kind = kind, .shown = xstrdup(value)};
    if (kind == TOOL_PYTHON)
        ret_request->code = xstrdup(value);
    else if (kind == TOOL_SHELL)
        ret_request->code = shell_program(value);
    return 0;
}
