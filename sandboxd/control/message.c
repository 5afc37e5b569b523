#include "sandboxd/control/message.h"

#include <string.h>

/* Padding would carry bytes of a process's memory. */
_Static_assert(sizeof(struct done_message) == 24, "no padding");
_Static_assert(sizeof(struct session_plan_message) == 296, "no padding");
_Static_assert(offsetof(struct file_entry_message, path) == 24, "no padding");

/* A payload of `head` bytes and a text of less than `text_size` bytes behind them. */
static int read_with_text(const struct frame *frame, void *ret_message, size_t head,
                          size_t text_size, struct error *err)
{
    if (frame->length < head || frame->length - head >= text_size ||
        memchr(frame->payload + head, '\0', frame->length - head))
        return error_set(err, ERROR_INVALID, "malformed message of type %d", (int)frame->type);
    memcpy(ret_message, frame->payload, frame->length);
    ((char *)ret_message)[frame->length] = '\0';
    return 0;
}

#define READ_WITH_TEXT(frame, message, text, err)                                                  \
    read_with_text(frame, message, offsetof(__typeof__(*(message)), text), sizeof(message)->text,  \
                   err)

static int check(bool good, const struct frame *frame, struct error *err)
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

int message_read_done(const struct frame *frame, struct done_message *ret_message,
                      struct error *err)
{
    if (message_read(frame, ret_message, sizeof *ret_message, err) < 0)
        return -1;
    return check(ret_message->succeeded <= 1 && ret_message->display < DISPLAY_END, frame, err);
}

bool message_path_is_safe(const char *path, size_t length)
{
    enum { PART_BYTES_MAX = 255 };
    if (length == 0)
        return true;
    if (length >= FILE_PATH_MAX || memchr(path, '\0', length))
        return false;

    size_t start = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && path[i] != '/')
            continue;
        size_t part = i - start;
        bool dots = (part == 1 && path[start] == '.') ||
                    (part == 2 && path[start] == '.' && path[start + 1] == '.');
        if (part == 0 || part > PART_BYTES_MAX || dots)
            return false;
        start = i + 1;
    }
    return true;
}

int message_read_file_request(const struct frame *frame, struct file_request_message *ret_message,
                              struct error *err)
{
    if (READ_WITH_TEXT(frame, ret_message, path, err) < 0 ||
        check(ret_message->operation > 0 && ret_message->operation < FILE_OPERATION_END &&
                  ret_message->recursive <= 1,
              frame, err) < 0)
        return -1;
    if (!message_path_is_safe(ret_message->path, strlen(ret_message->path)))
        return error_set(err, ERROR_INVALID, "unsafe path in a file request");
    return 0;
}

int message_read_file_entry(const struct frame *frame, struct file_entry_message *ret_message,
                            struct error *err)
{
    if (READ_WITH_TEXT(frame, ret_message, path, err) < 0)
        return -1;
    return check(ret_message->kind > 0 && ret_message->kind < FILE_KIND_END, frame, err);
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
    return READ_WITH_TEXT(frame, ret_message, text, err);
}

int message_read_session_plan(const struct frame *frame, struct session_plan_message *ret_message,
                              struct error *err)
{
    struct session_plan_message *plan = ret_message;
    if (message_read(frame, plan, sizeof *plan, err) < 0)
        return -1;
    return check(plan->memory_bytes && plan->data_bytes && plan->data_inodes && plan->tasks &&
                     plan->cpu_percent && plan->start < START_END && plan->network < NETWORK_END &&
                     plan->audit <= 1,
                 frame, err);
}
