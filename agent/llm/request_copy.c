#include "agent/llm/request_copy.h"

#include "base/core/cleanup.h"

void request_copy_take(struct request_copy *copy, const struct llm_request *request)
{
    *copy = (struct request_copy){.request = *request};
    copy->messages = xcalloc(request->message_count + 1, sizeof *copy->messages);
    for (size_t i = 0; i < request->message_count; i++)
        copy->messages[i] = llm_message_copy(&request->messages[i]);
    copy->tools = xcalloc(request->tool_count + 1, sizeof *copy->tools);
    for (size_t i = 0; i < request->tool_count; i++)
        copy->tools[i] = (struct llm_tool){xstrdup(request->tools[i].name),
                                           xstrdup(request->tools[i].description),
                                           xstrdup(request->tools[i].parameters)};
    copy->request.messages = copy->messages;
    copy->request.tools = copy->tools;
    copy->request.file_path = request->file_path ? xstrdup(request->file_path) : NULL;
}

void request_copy_clear(struct request_copy *copy)
{
    for (size_t i = 0; i < copy->request.message_count; i++)
        llm_message_clear(&copy->messages[i]);
    for (size_t i = 0; i < copy->request.tool_count; i++) {
        free((char *)copy->tools[i].name);
        free((char *)copy->tools[i].description);
        free((char *)copy->tools[i].parameters);
    }
    free(copy->messages);
    free(copy->tools);
    free((char *)copy->request.file_path);
    *copy = (struct request_copy){0};
}
