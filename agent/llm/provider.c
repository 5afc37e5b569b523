#include "agent/llm/provider.h"

#include <ctype.h>
#include <string.h>

#include "base/json/json.h"
#include "base/json/writer.h"

const char *provider_text(json_t *object, const char *key, size_t *ret_length)
{
    json_t *value = json_object_get(object, key);
    *ret_length = json_string_length(value);
    return json_string_value(value);
}

int64_t provider_count(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

/* Servers put old calls through a template that parses them: what is no object fails there. */
void provider_write_arguments(const struct llm_call *call, struct buf *out)
{
    AUTO_JSON json_t *value = NULL;
    struct error ignored;
    const char *text = call->arguments ? call->arguments : "";
    if (json_parse(text, strlen(text), JSON_BYTES_MAX, &value, &ignored) == 0 &&
        json_is_object(value)) {
        buf_append_text(out, text);
        return;
    }
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "unreadable", text);
    writer_close_object(&writer);
}

void provider_write_name(const char *name, char ret_name[PROVIDER_NAME_MAX])
{
    size_t length = 0;
    for (; name && name[length] && length < PROVIDER_NAME_MAX - 1; length++) {
        bool is_plain = isalnum((unsigned char)name[length]) || name[length] == '-';
        ret_name[length] = is_plain ? name[length] : '_';
    }
    if (length == 0)
        ret_name[length++] = '_';
    ret_name[length] = '\0';
}

bool provider_tells_tools(const struct request_options *options, const struct llm_request *request)
{
    return request->tool_count > 0 &&
           !(request->answer_only && (options->without & PART_TOOL_CHOICE));
}

void provider_write_tool(struct writer *writer, const struct llm_tool *tool)
{
    writer_string(writer, "name", tool->name);
    writer_string(writer, "description", tool->description);
    writer_raw(writer, "parameters", tool->parameters, strlen(tool->parameters));
}

void provider_write_choice(struct writer *writer, const struct request_options *options,
                           const struct llm_request *request)
{
    if (!(options->without & PART_TOOL_CHOICE))
        writer_string(writer, "tool_choice", request->answer_only ? "none" : "auto");
    if (!(options->without & PART_PARALLEL_CALLS))
        writer_boolean(writer, "parallel_tool_calls", false);
}
