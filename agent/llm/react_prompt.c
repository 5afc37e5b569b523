/* The prompt, and the conversation in its form. */
#include <string.h>

#include "agent/llm/react.h"
#include "base/core/cleanup.h"
#include "base/json/json.h"

/* hwchase17/react of LangChain's hub, word for word. */
static const char default_template[] =
    "Answer the following questions as best you can. You have access to the following tools:\n\n"
    "{tools}\n\n"
    "Use the following format:\n\n"
    "Question: the input question you must answer\n"
    "Thought: you should always think about what to do\n"
    "Action: the action to take, should be one of [{tool_names}]\n"
    "Action Input: the input to the action\n"
    "Observation: the result of the action\n"
    "... (this Thought/Action/Action Input/Observation can repeat N times)\n"
    "Thought: I now know the final answer\n"
    "Final Answer: the final answer to the original input question\n\n"
    "Begin!\n\n"
    "Question: {input}\n"
    "Thought:{agent_scratchpad}";

enum {
    TEMPLATE_BYTES_MAX = 256 * 1024, /* our limit */
    SLOT_BYTES_MAX = 32,
};

enum slot { SLOT_TOOLS, SLOT_TOOL_NAMES, SLOT_INPUT, SLOT_SCRATCHPAD, SLOT_FILE_PATH, SLOT_COUNT };
static const char *const slot_names[] = {"tools", "tool_names", "input", "agent_scratchpad",
                                         "file_path"};

/* ---- the template ---- */

/* One step through a template: plain text, or a slot. */
struct step {
    const char *text; /* NULL: a slot */
    size_t length;
    int slot; /* -1: unknown */
    const char *next;
};

static int find_slot(const char *name, size_t length)
{
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (strlen(slot_names[i]) == length && memcmp(slot_names[i], name, length) == 0)
            return i;
    }
    return -1;
}

static struct step step_at(const char *at)
{
    if ((*at == '{' || *at == '}') && at[1] == *at)
        return (struct step){.text = at, .length = 1, .next = at + 2};
    const char *close = *at == '{' ? strchr(at, '}') : NULL;
    if (close && close - at - 1 <= SLOT_BYTES_MAX)
        return (struct step){.text = NULL,
                             .length = (size_t)(close - at - 1),
                             .slot = find_slot(at + 1, (size_t)(close - at - 1)),
                             .next = close + 1};
    size_t length = 1 + strcspn(at + 1, "{}");
    return (struct step){.text = at, .length = length, .next = at + length};
}

int react_template_read(const char *text, struct react_template *ret_template, struct error *err)
{
    bool seen[SLOT_COUNT] = {false};
    if (!text)
        text = default_template;
    if (strlen(text) > TEMPLATE_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "the ReAct template is longer than %d bytes",
                         TEMPLATE_BYTES_MAX);
    for (const char *at = text; *at;) {
        struct step step = step_at(at);
        if (!step.text && step.slot < 0)
            return error_set(err, ERROR_INVALID,
                             "the ReAct template has the unknown slot {%.*s}; there are tools, "
                             "tool_names, input, agent_scratchpad and file_path, and braces that "
                             "are no slot are doubled",
                             (int)step.length, at + 1);
        if (!step.text)
            seen[step.slot] = true;
        at = step.next;
    }
    if (!seen[SLOT_INPUT] || !seen[SLOT_SCRATCHPAD])
        return error_set(err, ERROR_INVALID,
                         "the ReAct template needs the slots {input} and {agent_scratchpad}");
    ret_template->text = xstrdup(text);
    return 0;
}

void react_template_clear(struct react_template *template)
{
    free(template->text);
    template->text = NULL;
}

static char *fill_template(const struct react_template *template, const char *const *values)
{
    AUTO_BUF struct buf out = {0};
    for (const char *at = template->text; *at;) {
        struct step step = step_at(at);
        if (step.text)
            buf_append(&out, step.text, step.length);
        else
            buf_append_text(&out, values[step.slot]);
        at = step.next;
    }
    return buf_take(&out);
}

/* ---- tools ---- */

static void append_tools(const struct llm_request *request, const struct tool_shapes *shapes,
                         struct buf *out)
{
    for (size_t i = 0; i < request->tool_count; i++) {
        const struct llm_tool *tool = &request->tools[i];
        buf_printf(out, "%s%s - %s", i > 0 ? "\n" : "", tool->name, tool->description);
        if (!shapes->items[i].text_property)
            buf_printf(out, " Its input is a JSON object by this schema: %s", tool->parameters);
    }
}

static void append_tool_names(const struct llm_request *request, struct buf *out)
{
    for (size_t i = 0; i < request->tool_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", request->tools[i].name);
}

/* ---- what has been done ---- */

/* A call of another protocol in this one's words. */
static void append_call(const struct llm_call *call, const struct tool_shapes *shapes,
                        struct buf *out)
{
    AUTO_JSON json_t *arguments = NULL;
    struct error ignored;
    const struct tool_shape *shape = tool_shapes_find(shapes, call->name);
    const char *input = call->arguments ? call->arguments : "";
    if (shape && shape->text_property &&
        json_parse(input, strlen(input), JSON_BYTES_MAX, &arguments, &ignored) == 0) {
        const char *text = json_string_value(json_object_get(arguments, shape->text_property));
        input = text ? text : input;
    }
    buf_printf(out, "\nAction: %s\nAction Input: ", call->name);
    buf_append_text(out, input);
}

/* What answers the call, in the messages behind it. */
static const char *find_observation(const struct llm_request *request, size_t from,
                                    const char *call_id)
{
    for (size_t i = from; i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];
        if (message->role == LLM_TOOL && message->call_id && strcmp(message->call_id, call_id) == 0)
            return message->text ? message->text : "";
    }
    return "";
}

static void append_step(const struct llm_request *request, const struct tool_shapes *shapes,
                        size_t at, struct buf *out)
{
    const struct llm_message *message = &request->messages[at];
    const char *text = message->text ? message->text : "";
    bool is_own = react_has_action(text);
    buf_append_text(out, text);
    for (size_t i = 0; i < message->call_count; i++) {
        const struct llm_call *call = &message->calls[i];
        if (!is_own && strcmp(call->name, REACT_EXCEPTION) != 0)
            append_call(call, shapes, out);
        buf_append_text(out, "\nObservation: ");
        buf_append_text(out, find_observation(request, at + 1, call->id));
        buf_append_text(out, "\nThought: ");
    }
}

/* The steps and answers in [from, to). */
static void append_steps(const struct llm_request *request, const struct tool_shapes *shapes,
                         size_t from, size_t to, struct buf *out)
{
    for (size_t i = from; i < to; i++) {
        const struct llm_message *message = &request->messages[i];
        if (message->role != LLM_ASSISTANT)
            continue;
        if (message->call_count == 0 && out->length > 0)
            buf_append_text(out, "Final Answer: ");
        append_step(request, shapes, i, out);
    }
}

/* ---- the conversation ---- */

static void add_message(struct react_messages *messages, enum llm_role role, char *text)
{
    messages->items[messages->count++] = (struct llm_message){.role = role, .text = text};
}

/* Where the messages about the question at `at` end. */
static size_t next_question(const struct llm_request *request, size_t at)
{
    do {
        at++;
    } while (at < request->message_count && request->messages[at].role != LLM_USER);
    return at;
}

static void add_prompt(const struct react_template *template, const struct llm_request *request,
                       const struct tool_shapes *shapes, size_t question,
                       struct react_messages *messages)
{
    AUTO_BUF struct buf tools = {0};
    AUTO_BUF struct buf names = {0};
    AUTO_BUF struct buf steps = {0};
    append_tools(request, shapes, &tools);
    append_tool_names(request, &names);
    append_steps(request, shapes, question + 1, request->message_count, &steps);
    if (request->answer_only) /* LangChain's, when it has to stop */
        buf_append_text(&steps,
                        "\n\nI now need to return a final answer based on the previous steps:");
    const char *input = request->messages[question].text;
    const char *const values[SLOT_COUNT] = {
        [SLOT_TOOLS] = tools.data ? tools.data : "",
        [SLOT_TOOL_NAMES] = names.data ? names.data : "",
        [SLOT_INPUT] = input ? input : "",
        [SLOT_SCRATCHPAD] = steps.data ? steps.data : "",
        [SLOT_FILE_PATH] = request->file_path ? request->file_path : "No file found",
    };
    add_message(messages, LLM_USER, fill_template(template, values));
}

int react_messages_build(const struct react_template *template, const struct llm_request *request,
                         const struct tool_shapes *shapes, struct react_messages *ret_messages,
                         struct error *err)
{
    struct react_messages messages = {
        .items = xcalloc(2 * request->message_count + 1, sizeof *messages.items)};
    bool has_question = false;
    for (size_t i = 0, next; i < request->message_count; i = next) {
        const struct llm_message *message = &request->messages[i];
        next = i + 1;
        if (message->role == LLM_SYSTEM && message->text)
            add_message(&messages, LLM_SYSTEM, xstrdup(message->text));
        if (message->role != LLM_USER)
            continue;
        next = next_question(request, i);
        if (next == request->message_count) {
            add_prompt(template, request, shapes, i, &messages);
            has_question = true;
            continue;
        }
        AUTO_BUF struct buf steps = {0};
        append_steps(request, shapes, i + 1, next, &steps);
        add_message(&messages, LLM_USER, xstrdup(message->text ? message->text : ""));
        add_message(&messages, LLM_ASSISTANT, buf_take(&steps));
    }
    if (!has_question) {
        react_messages_clear(&messages);
        return error_set(err, ERROR_INVALID, "the conversation has no question");
    }
    *ret_messages = messages;
    return 0;
}

void react_messages_clear(struct react_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        llm_message_clear(&messages->items[i]);
    free(messages->items);
    *messages = (struct react_messages){0};
}
