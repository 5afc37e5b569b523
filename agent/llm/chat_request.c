/* The body of a chat completion's request. */
#include "agent/llm/chat.h"

#include <string.h>

#include "base/json/writer.h"

static void write_call(struct writer *writer, const struct llm_call *call)
{
    AUTO_BUF struct buf arguments = {0};
    char name[PROVIDER_NAME_MAX];
    provider_write_arguments(call, &arguments);
    provider_write_name(call->name, name);
    writer_open_object(writer, NULL);
    writer_string(writer, "id", call->id);
    writer_string(writer, "type", "function");
    writer_open_object(writer, "function");
    writer_string(writer, "name", name);
    writer_text(writer, "arguments", arguments.data, arguments.length);
    writer_close_object(writer);
    writer_close_object(writer);
}

static void write_assistant(struct writer *writer, const struct llm_message *message)
{
    writer_string(writer, "role", "assistant");
    if (message->text || message->call_count == 0)
        writer_string(writer, "content", message->text);
    else
        writer_null(writer, "content");
    if (message->call_count == 0)
        return;
    writer_open_array(writer, "tool_calls");
    for (size_t i = 0; i < message->call_count; i++)
        write_call(writer, &message->calls[i]);
    writer_close_array(writer);
}

static void write_message(struct writer *writer, const struct llm_message *message, bool no_system)
{
    writer_open_object(writer, NULL);
    switch (message->role) {
    case LLM_SYSTEM:
        writer_string(writer, "role", no_system ? "user" : "system");
        writer_string(writer, "content", message->text);
        break;
    case LLM_USER:
        writer_string(writer, "role", "user");
        writer_string(writer, "content", message->text);
        break;
    case LLM_ASSISTANT:
        write_assistant(writer, message);
        break;
    case LLM_TOOL:
        writer_string(writer, "role", "tool");
        writer_string(writer, "tool_call_id", message->call_id);
        writer_string(writer, "content", message->text);
        break;
    }
    writer_close_object(writer);
}

static void write_tool(struct writer *writer, const struct llm_tool *tool, bool is_strict)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "type", "function");
    writer_open_object(writer, "function");
    provider_write_tool(writer, tool);
    if (is_strict)
        writer_boolean(writer, "strict", true);
    writer_close_object(writer);
    writer_close_object(writer);
}

static void write_tools(struct writer *writer, const struct request_options *options,
                        const struct llm_request *request, const struct tool_shapes *shapes)
{
    if (!provider_tells_tools(options, request))
        return;
    writer_open_array(writer, "tools");
    for (size_t i = 0; i < request->tool_count; i++)
        write_tool(writer, &request->tools[i],
                   shapes->items[i].is_strict && !(options->without & PART_STRICT));
    writer_close_array(writer);
    provider_write_choice(writer, options, request);
}

static void write_options(struct writer *writer, const struct request_options *options)
{
    if (!(options->without & PART_TEMPERATURE))
        writer_integer(writer, "temperature", 0);
    if (options->stop && !(options->without & PART_STOP)) {
        writer_open_array(writer, "stop");
        writer_string(writer, NULL, options->stop);
        writer_close_array(writer);
    }
    if (options->answer_tokens_max > 0)
        writer_integer(writer,
                       options->without & PART_MAX_TOKENS ? "max_completion_tokens" : "max_tokens",
                       options->answer_tokens_max);
    writer_boolean(writer, "stream", true);
    if (options->without & PART_STREAM_OPTIONS)
        return;
    writer_open_object(writer, "stream_options");
    writer_boolean(writer, "include_usage", true);
    writer_close_object(writer);
}

int chat_write_request(const struct request_options *options, const struct llm_request *request,
                       const struct tool_shapes *shapes, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "model", options->model);
    writer_open_array(&writer, "messages");
    for (size_t i = 0; i < request->message_count; i++)
        write_message(&writer, &request->messages[i], options->without & PART_SYSTEM);
    writer_close_array(&writer);
    write_tools(&writer, options, request, shapes);
    write_options(&writer, options);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}
