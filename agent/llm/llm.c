#include "agent/llm/llm.h"

#include <stdlib.h>

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
