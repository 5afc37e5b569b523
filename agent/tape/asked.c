#include "agent/tape/asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/json/json.h"

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The content of a message: a string, or parts with a "text" each. */
static void append_content(struct buf *out, json_t *content)
{
    if (json_is_string(content)) {
        buf_append_text(out, json_string_value(content));
        return;
    }
    size_t i;
    json_t *part;
    json_array_foreach(content, i, part) buf_append_text(out, text_of(part, "text"));
}

static bool is_tool_result(json_t *message)
{
    return strcmp(text_of(message, "role"), "tool") == 0 ||
           strcmp(text_of(message, "type"), "function_call_output") == 0;
}

static json_t *content_of(json_t *message)
{
    json_t *output = json_object_get(message, "output"); /* function_call_output */
    return output ? output : json_object_get(message, "content");
}

static char *last_of_role(json_t *messages, const char *role, const char *other_role)
{
    struct buf text = {0};
    for (size_t i = json_array_size(messages); i > 0; i--) {
        json_t *message = json_array_get(messages, i - 1);
        const char *found = text_of(message, "role");
        if (strcmp(found, role) != 0 && strcmp(found, other_role) != 0)
            continue;
        append_content(&text, content_of(message));
        break;
    }
    return buf_take(&text);
}

/* A model without tools gets them as text: "Observation: ..." ends what it is told. */
static void append_observed_text(struct buf *out, json_t *message)
{
    static const char mark[] = "Observation:";
    AUTO_BUF struct buf text = {0};
    append_content(&text, content_of(message));
    const char *found = NULL;
    for (const char *at = text.data; at && (at = strstr(at, mark)); at += strlen(mark))
        found = at;
    if (found)
        buf_append_text(out, found + strlen(mark));
}

static char *observation_of(json_t *messages)
{
    struct buf text = {0};
    size_t count = json_array_size(messages), first = count;
    while (first > 0 && is_tool_result(json_array_get(messages, first - 1)))
        first--;
    for (size_t i = first; i < count; i++) {
        append_content(&text, content_of(json_array_get(messages, i)));
        buf_append_text(&text, "\n");
    }
    if (first == count && count > 0)
        append_observed_text(&text, json_array_get(messages, count - 1));
    return buf_take(&text);
}

static json_t *messages_of(const struct asked *asked)
{
    return json_object_get(asked->document, asked->is_responses ? "input" : "messages");
}

int asked_read(const char *data, size_t length, bool is_responses, struct asked *ret_asked,
               struct error *err)
{
    struct asked asked = {.text = data, .length = length, .is_responses = is_responses};
    if (json_parse(data, length, ASKED_BYTES_MAX, &asked.document, err) < 0)
        return error_add_context(err, "the request");
    json_t *messages = messages_of(&asked);
    if (!json_is_array(messages) && !(is_responses && json_is_string(messages))) {
        json_decref(asked.document);
        return error_set(err, ERROR_INVALID, "the request: %s: must be an array",
                         is_responses ? "input" : "messages");
    }
    asked.is_streamed = json_is_true(json_object_get(asked.document, "stream"));
    asked.wants_usage = json_is_true(
        json_object_get(json_object_get(asked.document, "stream_options"), "include_usage"));
    asked.system = last_of_role(messages, "system", "developer");
    json_t *instructions = json_object_get(asked.document, "instructions");
    if (json_is_string(instructions)) {
        free(asked.system);
        asked.system = xstrdup(json_string_value(instructions));
    }
    asked.user = json_is_string(messages) ? xstrdup(json_string_value(messages))
                                          : last_of_role(messages, "user", "user");
    asked.observation = observation_of(messages);
    *ret_asked = asked;
    return 0;
}

void asked_clear(struct asked *asked)
{
    json_decref(asked->document);
    free(asked->system);
    free(asked->user);
    free(asked->observation);
    *asked = (struct asked){0};
}
