/* The answer to a chat completion: chunks of a stream, or the whole in one.
 *
 * What servers differ in (docs/agent.md, "What servers get wrong"): choices may be empty or without
 * delta; their index means nothing, since one answer is asked for; texts may be null, absent or
 * lists of parts; usage may come in every chunk; null stands wherever a value may.
 */
#include "agent/llm/chat.h"

#include <string.h>

#include "base/core/cleanup.h"

/* "content": a string, or parts of which some are text. */
static int read_content(struct assembly *assembly, json_t *content, struct error *err)
{
    if (json_is_string(content))
        return assembly_text(assembly, json_string_value(content), json_string_length(content),
                             err);
    size_t i;
    json_t *part;
    json_array_foreach(content, i, part)
    {
        size_t length;
        const char *text = provider_text(part, "text", &length);
        if (text && assembly_text(assembly, text, length, err) < 0)
            return -1;
    }
    return 0;
}

/* llama.cpp, vLLM and DeepSeek say reasoning_content, Ollama and OpenRouter reasoning. */
static int read_reasoning(struct assembly *assembly, json_t *delta, struct error *err)
{
    static const char *const names[] = {"reasoning_content", "reasoning"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length;
        const char *text = provider_text(delta, names[i], &length);
        if (text && length > 0)
            return assembly_reasoning(assembly, text, length, err);
    }
    return 0;
}

/* The function of a call; position is where it stands in its list. */
static int read_function(struct assembly *assembly, json_t *entry, json_t *function,
                         size_t position, struct error *err)
{
    size_t length;
    json_t *arguments = json_object_get(function, "arguments");
    struct call_fragment fragment = {.index = provider_count(entry, "index"),
                                     .position = position,
                                     .id = provider_text(entry, "id", &length),
                                     .name = provider_text(function, "name", &length),
                                     .arguments = json_string_value(arguments),
                                     .arguments_length = json_string_length(arguments)};
    /* Some servers hand out the object itself. */
    AUTO_FREE char *object = json_is_object(arguments) ? json_dumps(arguments, JSON_COMPACT) : NULL;
    if (object) {
        fragment.arguments = object;
        fragment.arguments_length = strlen(object);
    }
    return assembly_call_fragment(assembly, &fragment, err);
}

static int read_calls(struct assembly *assembly, json_t *delta, struct error *err)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(delta, "tool_calls"), i, entry)
    {
        if (read_function(assembly, entry, json_object_get(entry, "function"), i, err) < 0)
            return -1;
    }
    json_t *legacy = json_object_get(delta, "function_call");
    return json_is_object(legacy) ? read_function(assembly, NULL, legacy, 0, err) : 0;
}

static int read_delta(struct assembly *assembly, json_t *delta, struct error *err)
{
    size_t length;
    if (read_reasoning(assembly, delta, err) < 0 ||
        read_content(assembly, json_object_get(delta, "content"), err) < 0)
        return -1;
    const char *refusal = provider_text(delta, "refusal", &length);
    if (refusal && assembly_text(assembly, refusal, length, err) < 0)
        return -1;
    return read_calls(assembly, delta, err);
}

static const struct {
    const char *name;
    enum llm_finish finish;
} finishes[] = {
    {"length", LLM_FINISH_LENGTH},       {"max_tokens", LLM_FINISH_LENGTH},
    {"model_length", LLM_FINISH_LENGTH}, {"content_filter", LLM_FINISH_FILTER},
    {"error", LLM_FINISH_NONE}, /* the server's own end of a broken stream */
};

static enum llm_finish finish_of(const char *name)
{
    for (size_t i = 0; i < sizeof finishes / sizeof *finishes; i++) {
        if (strcmp(finishes[i].name, name) == 0)
            return finishes[i].finish;
    }
    return LLM_FINISH_STOP; /* whether there are calls is seen by the calls */
}

static int read_choice(struct assembly *assembly, json_t *choice, struct error *err)
{
    json_t *delta = json_object_get(choice, "delta");
    if (!json_is_object(delta))
        delta = json_object_get(choice, "message"); /* not streamed */
    if (json_is_object(delta) && read_delta(assembly, delta, err) < 0)
        return -1;
    size_t length;
    const char *finish = provider_text(choice, "finish_reason", &length);
    if (finish && length > 0)
        assembly_finish(assembly, finish_of(finish));
    return 0;
}

static void read_usage(struct assembly *assembly, json_t *usage)
{
    if (!json_is_object(usage))
        return;
    struct llm_usage told = {
        .input_tokens = provider_count(usage, "prompt_tokens"),
        .output_tokens = provider_count(usage, "completion_tokens"),
        .cached_tokens =
            provider_count(json_object_get(usage, "prompt_tokens_details"), "cached_tokens"),
        .reasoning_tokens = provider_count(json_object_get(usage, "completion_tokens_details"),
                                           "reasoning_tokens")};
    assembly_usage(assembly, &told);
}

static enum provider_progress chat_read(struct assembly *assembly, json_t *root, struct error *err)
{
    size_t i;
    json_t *choice;
    json_array_foreach(json_object_get(root, "choices"), i, choice)
    {
        if (read_choice(assembly, choice, err) < 0)
            return PROVIDER_FAILED;
    }
    read_usage(assembly, json_object_get(root, "usage"));
    return PROVIDER_MORE; /* the end mark is no JSON: "[DONE]" */
}

const struct provider provider_chat = {chat_write_request, chat_read};
