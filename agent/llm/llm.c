#include "agent/llm/llm.h"

#include <stdlib.h>

#include "base/core/cleanup.h"

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

struct llm_message llm_message_copy(const struct llm_message *message)
{
    struct llm_message copy = {.role = message->role,
                               .text = copy_text(message->text),
                               .call_count = message->call_count,
                               .call_id = copy_text(message->call_id)};
    if (message->call_count > 0)
        copy.calls = xcalloc(message->call_count, sizeof *copy.calls);
    for (size_t i = 0; i < message->call_count; i++) {
        const struct llm_call *call = &message->calls[i];
        copy.calls[i] = (struct llm_call){copy_text(call->id), copy_text(call->name),
                                          copy_text(call->arguments), copy_text(call->problem)};
    }
    return copy;
}

void llm_message_clear(struct llm_message *message)
{
    for (size_t i = 0; i < message->call_count; i++) {
        free(message->calls[i].id);
        free(message->calls[i].name);
        free(message->calls[i].arguments);
        free(message->calls[i].problem);
    }
    free(message->calls);
    free(message->text);
    free(message->call_id);
    *message = (struct llm_message){.role = message->role};
}

void llm_answer_clear(struct llm_answer *answer)
{
    llm_message_clear(&answer->message);
    free(answer->reasoning);
    *answer = (struct llm_answer){0};
}
