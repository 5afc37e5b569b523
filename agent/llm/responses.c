/* responses: OpenAI's and Azure's Responses API. Nothing is kept at the service: each request holds
 * the whole conversation. */
#include <string.h>

#include "agent/llm/provider.h"
#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "base/json/writer.h"

/* ---- the request ---- */

static void write_text_item(struct writer *writer, const char *role, const char *kind,
                            const char *text)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "type", "message");
    writer_string(writer, "role", role);
    writer_open_array(writer, "content");
    writer_open_object(writer, NULL);
    writer_string(writer, "type", kind);
    writer_string(writer, "text", text);
    writer_close_object(writer);
    writer_close_array(writer);
    writer_close_object(writer);
}

static void write_call(struct writer *writer, const struct llm_call *call)
{
    AUTO_BUF struct buf arguments = {0};
    char name[PROVIDER_NAME_MAX];
    provider_write_arguments(call, &arguments);
    provider_write_name(call->name, name);
    writer_open_object(writer, NULL);
    writer_string(writer, "type", "function_call");
    writer_string(writer, "call_id", call->id);
    writer_string(writer, "name", name);
    writer_text(writer, "arguments", arguments.data, arguments.length);
    writer_close_object(writer);
}

static void write_item(struct writer *writer, const struct llm_message *message, bool no_system)
{
    switch (message->role) {
    case LLM_SYSTEM:
        write_text_item(writer, no_system ? "user" : "system", "input_text", message->text);
        break;
    case LLM_USER:
        write_text_item(writer, "user", "input_text", message->text);
        break;
    case LLM_ASSISTANT:
        if (message->text)
            write_text_item(writer, "assistant", "output_text", message->text);
        for (size_t i = 0; i < message->call_count; i++)
            write_call(writer, &message->calls[i]);
        break;
    case LLM_TOOL:
        writer_open_object(writer, NULL);
        writer_string(writer, "type", "function_call_output");
        writer_string(writer, "call_id", message->call_id);
        writer_string(writer, "output", message->text);
        writer_close_object(writer);
        break;
    }
}

static void write_tools(struct writer *writer, const struct request_options *options,
                        const struct llm_request *request, const struct tool_shapes *shapes)
{
    if (!provider_tells_tools(options, request))
        return;
    writer_open_array(writer, "tools");
    for (size_t i = 0; i < request->tool_count; i++) {
        const struct llm_tool *tool = &request->tools[i];
        writer_open_object(writer, NULL);
        writer_string(writer, "type", "function");
        provider_write_tool(writer, tool);
        if (!(options->without & PART_STRICT)) /* absent would mean true here */
            writer_boolean(writer, "strict", shapes->items[i].is_strict);
        writer_close_object(writer);
    }
    writer_close_array(writer);
    provider_write_choice(writer, options, request);
}

static int responses_write_request(const struct request_options *options,
                                   const struct llm_request *request,
                                   const struct tool_shapes *shapes, struct buf *out,
                                   struct error *err)
{
    struct writer writer = writer_begin(out, false);
    size_t first = 0;
    writer_open_object(&writer, NULL);
    writer_string(&writer, "model", options->model);
    if (request->message_count > 0 && request->messages[0].role == LLM_SYSTEM) {
        writer_string(&writer, "instructions", request->messages[0].text);
        first = 1;
    }
    writer_open_array(&writer, "input");
    for (size_t i = first; i < request->message_count; i++)
        write_item(&writer, &request->messages[i], options->without & PART_SYSTEM);
    writer_close_array(&writer);
    write_tools(&writer, options, request, shapes);
    if (!(options->without & PART_TEMPERATURE))
        writer_integer(&writer, "temperature", 0);
    if (options->answer_tokens_max > 0)
        writer_integer(&writer, "max_output_tokens", options->answer_tokens_max);
    writer_boolean(&writer, "stream", true);
    if (!(options->without & PART_STORE))
        writer_boolean(&writer, "store", false);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

/* ---- the answer ---- */

static int read_call(struct assembly *assembly, json_t *item, int64_t index, const char *arguments,
                     size_t arguments_length, struct error *err)
{
    size_t length;
    struct call_fragment fragment = {.index = index,
                                     .id = provider_text(item, "call_id", &length),
                                     .name = provider_text(item, "name", &length),
                                     .arguments = arguments,
                                     .arguments_length = arguments_length};
    return assembly_call_fragment(assembly, &fragment, err);
}

static const struct assembly_call *find_call(const struct assembly *assembly, int64_t index)
{
    for (size_t i = assembly->call_count; i-- > 0;) {
        if (assembly->calls[i].index == index)
            return &assembly->calls[i];
    }
    return NULL;
}

static bool is_type(json_t *object, const char *type)
{
    const char *text = json_string_value(json_object_get(object, "type"));
    return text && strcmp(text, type) == 0;
}

/* An item as a whole: what its deltas have not told already. */
static int read_item(struct assembly *assembly, json_t *item, int64_t index, bool text_is_told,
                     struct error *err)
{
    if (is_type(item, "function_call")) {
        size_t length;
        const char *arguments = provider_text(item, "arguments", &length);
        const struct assembly_call *call = find_call(assembly, index);
        bool is_told = call && call->arguments.length > 0;
        return read_call(assembly, item, index, arguments, is_told || !arguments ? 0 : length, err);
    }
    if (!is_type(item, "message") || text_is_told)
        return 0;
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(item, "content"), i, part)
    {
        size_t length;
        const char *text = provider_text(part, "text", &length);
        if (!text)
            text = provider_text(part, "refusal", &length);
        if (text && assembly_text(assembly, text, length, err) < 0)
            return -1;
    }
    return 0;
}

static void read_usage(struct assembly *assembly, json_t *usage)
{
    if (!json_is_object(usage))
        return;
    struct llm_usage told = {
        .input_tokens = provider_count(usage, "input_tokens"),
        .output_tokens = provider_count(usage, "output_tokens"),
        .cached_tokens =
            provider_count(json_object_get(usage, "input_tokens_details"), "cached_tokens"),
        .reasoning_tokens =
            provider_count(json_object_get(usage, "output_tokens_details"), "reasoning_tokens")};
    assembly_usage(assembly, &told);
}

/* The response as a whole, at the end of a stream or in its place. */
static enum provider_progress read_response(struct assembly *assembly, json_t *response,
                                            struct error *err)
{
    size_t i;
    json_t *item;
    bool text_is_told = assembly->text.length > 0;
    json_array_foreach(json_object_get(response, "output"), i, item)
    {
        if (read_item(assembly, item, (int64_t)i, text_is_told, err) < 0)
            return PROVIDER_FAILED;
    }
    read_usage(assembly, json_object_get(response, "usage"));

    size_t length;
    json_t *details = json_object_get(response, "incomplete_details");
    const char *status = provider_text(response, "status", &length);
    const char *reason = provider_text(details, "reason", &length);
    bool is_whole = !status || strcmp(status, "incomplete") != 0;
    bool is_filtered = reason && strcmp(reason, "content_filter") == 0;
    assembly_finish(assembly, is_whole      ? LLM_FINISH_STOP
                              : is_filtered ? LLM_FINISH_FILTER
                                            : LLM_FINISH_LENGTH);
    return PROVIDER_ENDED;
}

static int read_text_delta(struct assembly *assembly, json_t *event, struct error *err)
{
    size_t length;
    const char *delta = provider_text(event, "delta", &length);
    return delta ? assembly_text(assembly, delta, length, err) : 0;
}

static int read_reasoning_delta(struct assembly *assembly, json_t *event, struct error *err)
{
    size_t length;
    const char *delta = provider_text(event, "delta", &length);
    return delta ? assembly_reasoning(assembly, delta, length, err) : 0;
}

static int read_arguments_delta(struct assembly *assembly, json_t *event, struct error *err)
{
    size_t length;
    const char *delta = provider_text(event, "delta", &length);
    int64_t index = provider_count(event, "output_index");
    return delta ? read_call(assembly, NULL, index, delta, length, err) : 0;
}

/* Some servers send the arguments only as a whole. */
static int read_arguments_done(struct assembly *assembly, json_t *event, struct error *err)
{
    size_t length;
    int64_t index = provider_count(event, "output_index");
    const char *arguments = provider_text(event, "arguments", &length);
    const struct assembly_call *call = find_call(assembly, index);
    if (!arguments || (call && call->arguments.length > 0))
        return 0;
    return read_call(assembly, NULL, index, arguments, length, err);
}

/* It begins a call; its arguments follow, or come with the item when it is done. */
static int read_item_added(struct assembly *assembly, json_t *event, struct error *err)
{
    json_t *item = json_object_get(event, "item");
    if (!is_type(item, "function_call"))
        return 0;
    return read_call(assembly, item, provider_count(event, "output_index"), NULL, 0, err);
}

static int read_item_done(struct assembly *assembly, json_t *event, struct error *err)
{
    return read_item(assembly, json_object_get(event, "item"),
                     provider_count(event, "output_index"), assembly->text.length > 0, err);
}

static const struct {
    const char *type;
    int (*read)(struct assembly *assembly, json_t *event, struct error *err);
} events[] = {
    {"response.output_text.delta", read_text_delta},
    {"response.refusal.delta", read_text_delta},
    {"response.reasoning_text.delta", read_reasoning_delta},
    {"response.reasoning_summary_text.delta", read_reasoning_delta},
    {"response.function_call_arguments.delta", read_arguments_delta},
    {"response.function_call_arguments.done", read_arguments_done},
    {"response.output_item.added", read_item_added},
    {"response.output_item.done", read_item_done},
};

static enum provider_progress responses_read(struct assembly *assembly, json_t *root,
                                             struct error *err)
{
    if (json_is_array(json_object_get(root, "output")))
        return read_response(assembly, root, err); /* not streamed */
    if (is_type(root, "response.completed") || is_type(root, "response.incomplete"))
        return read_response(assembly, json_object_get(root, "response"), err);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (is_type(root, events[i].type))
            return events[i].read(assembly, root, err) < 0 ? PROVIDER_FAILED : PROVIDER_MORE;
    }
    return PROVIDER_MORE; /* progress that nobody is shown */
}

const struct provider provider_responses = {responses_write_request, responses_read};
