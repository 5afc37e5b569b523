#include "sandboxd/payload/payload.h"

#include <string.h>

/* Padding would carry bytes of a process's memory. */
_Static_assert(sizeof(struct done_message) == 24, "no padding");
_Static_assert(offsetof(struct file_entry_message, path) == 24, "no padding");

int payload_read_done(const struct frame *frame, struct done_message *ret_message,
                      struct error *err)
{
    if (message_read(frame, ret_message, sizeof *ret_message, err) < 0)
        return -1;
    return message_check(ret_message->succeeded <= 1 && ret_message->display < DISPLAY_END, frame,
                         err);
}

bool payload_path_is_safe(const char *path, size_t length)
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

int payload_read_file_request(const struct frame *frame, struct file_request_message *ret_message,
                              struct error *err)
{
    if (MESSAGE_READ_WITH_TEXT(frame, ret_message, path, err) < 0 ||
        message_check(ret_message->operation > 0 && ret_message->operation < FILE_OPERATION_END &&
                          ret_message->recursive <= 1,
                      frame, err) < 0)
        return -1;
    if (!payload_path_is_safe(ret_message->path, strlen(ret_message->path)))
        return error_set(err, ERROR_INVALID, "unsafe path in a file request");
    return 0;
}

int payload_read_file_entry(const struct frame *frame, struct file_entry_message *ret_message,
                            struct error *err)
{
    if (MESSAGE_READ_WITH_TEXT(frame, ret_message, path, err) < 0)
        return -1;
    return message_check(ret_message->kind > 0 && ret_message->kind < FILE_KIND_END, frame, err);
}
