#include "sandboxd/control/message.h"

#include <string.h>

/* Padding would carry bytes of a process's memory. */
_Static_assert(sizeof(struct session_plan_message) == 296, "no padding");

int message_read_with_text(const struct frame *frame, void *ret_message, size_t head,
                           size_t text_size, struct error *err)
{
    if (frame->length < head || frame->length - head >= text_size ||
        memchr(frame->payload + head, '\0', frame->length - head))
        return error_set(err, ERROR_INVALID, "malformed message of type %d", (int)frame->type);
    memcpy(ret_message, frame->payload, frame->length);
    ((char *)ret_message)[frame->length] = '\0';
    return 0;
}

int message_check(bool good, const struct frame *frame, struct error *err)
{
    if (!good)
        return error_set(err, ERROR_INVALID, "bad field in a message of type %d", (int)frame->type);
    return 0;
}

int message_read(const struct frame *frame, void *ret_message, size_t size, struct error *err)
{
    if (frame->length != size)
        return error_set(err, ERROR_INVALID, "malformed message of type %d", (int)frame->type);
    memcpy(ret_message, frame->payload, size);
    return 0;
}

size_t message_fill_result(struct result_message *ret_message, int error_number, const char *text)
{
    size_t length = strnlen(text, sizeof ret_message->text - 1);
    ret_message->error_number = (uint32_t)error_number;
    memcpy(ret_message->text, text, length);
    ret_message->text[length] = '\0';
    return MESSAGE_LENGTH(ret_message, text);
}

int message_read_result(const struct frame *frame, struct result_message *ret_message,
                        struct error *err)
{
    return MESSAGE_READ_WITH_TEXT(frame, ret_message, text, err);
}

int message_read_session_plan(const struct frame *frame, struct session_plan_message *ret_message,
                              struct error *err)
{
    struct session_plan_message *plan = ret_message;
    if (message_read(frame, plan, sizeof *plan, err) < 0)
        return -1;
    return message_check(plan->memory_bytes && plan->data_bytes && plan->data_inodes &&
                             plan->tasks && plan->cpu_percent && plan->start < START_END &&
                             plan->network < NETWORK_END && plan->audit <= 1,
                         frame, err);
}
