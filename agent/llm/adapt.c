#include "agent/llm/adapt.h"

#include <string.h>

static const struct {
    enum request_part part;
    const char *name;
} parts[] = {
    {PART_TEMPERATURE, "temperature"},
    {PART_STOP, "stop"},
    {PART_STREAM_OPTIONS, "stream_options"},
    {PART_STREAM_OPTIONS, "include_usage"},
    {PART_PARALLEL_CALLS, "parallel_tool_calls"},
    {PART_TOOL_CHOICE, "tool_choice"},
    {PART_STRICT, "strict"},
    {PART_MAX_TOKENS, "max_tokens"},
    {PART_SYSTEM, "messages[0].role"},
    {PART_STORE, "store"},
};

unsigned adapt_parts(const struct refusal *refusal, unsigned without,
                     char ret_names[ADAPT_NAMES_MAX])
{
    unsigned found = 0;
    ret_names[0] = '\0';
    if (!refusal_is_about_support(refusal))
        return 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (((without | found) & parts[i].part) || !refusal_names(refusal, parts[i].name))
            continue;
        size_t length = strlen(ret_names);
        snprintf(ret_names + length, ADAPT_NAMES_MAX - length, "%s%s", length ? ", " : "",
                 parts[i].name);
        found |= parts[i].part;
    }
    return found;
}
