/* conversation: all that was said, in memory. */
#pragma once

#include "agent/llm/llm.h"
#include "base/core/cleanup.h"
#include "base/core/random.h"

struct conversation {
    char id[GUID_TEXT_MAX];
    struct llm_message *messages;
    size_t count;
};

void conversation_begin(struct conversation *conversation); /* zeroed before */
void conversation_clear(struct conversation *conversation);

void conversation_add(struct conversation *conversation, enum llm_role role, const char *text);
/* Takes what is in the message, which is empty afterwards. */
void conversation_add_answer(struct conversation *conversation, struct llm_message *message);
/* The one answer to that call. */
void conversation_answer_call(struct conversation *conversation, const char *call_id,
                              const char *text);

/* Takes the text out of all tool answers but the last two, and of those what is longer than a
 * page; false when there was nothing to take. */
bool conversation_shorten(struct conversation *conversation);
