#include "agent/turn/conversation.h"

#include <string.h>

enum {
    SHORTEN_KEEP = 2,         /* tool answers that stay */
    SHORTEN_BYTES_MIN = 200,  /* shorter ones are not worth it */
    SHORTEN_BYTES_MAX = 4096, /* of those that stay */
};

void conversation_begin(struct conversation *conversation)
{
    random_guid(conversation->id);
}

void conversation_clear(struct conversation *conversation)
{
    for (size_t i = 0; i < conversation->count; i++)
        llm_message_clear(&conversation->messages[i]);
    free(conversation->messages);
    *conversation = (struct conversation){0};
}

static struct llm_message *add(struct conversation *conversation)
{
    conversation->messages = xrealloc(conversation->messages,
                                      (conversation->count + 1) * sizeof *conversation->messages);
    struct llm_message *message = &conversation->messages[conversation->count++];
    *message = (struct llm_message){0};
    return message;
}

void conversation_add(struct conversation *conversation, enum llm_role role, const char *text)
{
    struct llm_message *message = add(conversation);
    message->role = role;
    message->text = xstrdup(text);
}

void conversation_add_answer(struct conversation *conversation, struct llm_message *message)
{
    *add(conversation) = *message;
    *message = (struct llm_message){.role = message->role};
}

void conversation_answer_call(struct conversation *conversation, const char *call_id,
                              const char *text)
{
    struct llm_message *message = add(conversation);
    message->role = LLM_TOOL;
    message->call_id = xstrdup(call_id);
    message->text = xstrdup(text);
}

/* Whole characters only. */
static size_t cut_at(const char *text, size_t most)
{
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static bool shorten(struct llm_message *message, size_t keep_bytes)
{
    size_t length = message->text ? strlen(message->text) : 0;
    if (length <= keep_bytes + SHORTEN_BYTES_MIN)
        return false;
    size_t kept = cut_at(message->text, keep_bytes);
    char *text = xasprintf("%.*s\n[%zu bytes of this output were left out because the conversation "
                           "is too long]",
                           (int)kept, message->text, length - kept);
    free(message->text);
    message->text = text;
    return true;
}

bool conversation_shorten(struct conversation *conversation)
{
    bool changed = false;
    size_t seen = 0;
    for (size_t i = conversation->count; i-- > 0;) {
        struct llm_message *message = &conversation->messages[i];
        if (message->role != LLM_TOOL)
            continue;
        bool is_recent = seen++ < SHORTEN_KEEP;
        changed |= shorten(message, is_recent ? SHORTEN_BYTES_MAX : 0);
    }
    return changed;
}
