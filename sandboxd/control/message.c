#include "sandboxd/control/message.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* A reader over untrusted bytes: after the first field that does not fit, everything reads as zero
 * and `failed` stays set. */
struct reader {
    const uint8_t *data;
    size_t left;
    bool failed;
};

static const uint8_t *read_bytes(struct reader *r, size_t length)
{
    if (r->failed || r->left < length) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *start = r->data;
    r->data += length;
    r->left -= length;
    return start;
}

static uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}

static uint32_t read_u32(struct reader *r)
{
    uint32_t value = 0;
    const uint8_t *p = read_bytes(r, sizeof value);
    if (p)
        memcpy(&value, p, sizeof value);
    return le32toh(value);
}

static uint64_t read_u64(struct reader *r)
{
    uint64_t value = 0;
    const uint8_t *p = read_bytes(r, sizeof value);
    if (p)
        memcpy(&value, p, sizeof value);
    return le64toh(value);
}

static bool read_flag(struct reader *r)
{
    uint8_t value = read_u8(r);
    if (value > 1)
        r->failed = true;
    return value == 1;
}

static int read_end(const struct reader *r, const char *what, struct error *err)
{
    if (r->failed || r->left != 0)
        return error_set(err, ERROR_INVALID, "malformed %s message", what);
    return 0;
}

static uint8_t *write_u8(uint8_t *out, uint8_t value)
{
    *out = value;
    return out + 1;
}

static uint8_t *write_u32(uint8_t *out, uint32_t value)
{
    value = htole32(value);
    memcpy(out, &value, sizeof value);
    return out + sizeof value;
}

static uint8_t *write_u64(uint8_t *out, uint64_t value)
{
    value = htole64(value);
    memcpy(out, &value, sizeof value);
    return out + sizeof value;
}

static uint8_t *write_bytes(uint8_t *out, const void *data, size_t length)
{
    if (length > 0)
        memcpy(out, data, length);
    return out + length;
}

size_t message_write_done(const struct done_message *message, uint8_t ret_data[DONE_MESSAGE_BYTES])
{
    uint8_t *p = write_u8(ret_data, message->succeeded);
    p = write_u8(p, (uint8_t)message->display);
    p = write_u64(p, message->wall_us);
    p = write_u64(p, message->cpu_us);
    return (size_t)(p - ret_data);
}

int message_read_done(const uint8_t *data, size_t length, struct done_message *ret_message,
                      struct error *err)
{
    struct reader r = {.data = data, .left = length};
    struct done_message message = {.succeeded = read_flag(&r)};
    uint8_t display = read_u8(&r);
    if (display >= DISPLAY_END)
        r.failed = true;
    message.display = (enum done_display)display;
    message.wall_us = read_u64(&r);
    message.cpu_us = read_u64(&r);
    if (read_end(&r, "done", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
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

size_t message_write_file_request(const struct file_request_message *message,
                                  uint8_t ret_data[FILE_REQUEST_BYTES_MAX])
{
    assert(message->path_length <= FILE_PATH_MAX);
    uint8_t *p = write_u8(ret_data, (uint8_t)message->operation);
    p = write_u8(p, message->recursive);
    p = write_bytes(p, message->path, message->path_length);
    return (size_t)(p - ret_data);
}

int message_read_file_request(const uint8_t *data, size_t length,
                              struct file_request_message *ret_message, struct error *err)
{
    struct reader r = {.data = data, .left = length};
    uint8_t operation = read_u8(&r);
    bool recursive = read_flag(&r);
    if (operation == 0 || operation >= FILE_OPERATION_END)
        r.failed = true;
    size_t path_length = r.left;
    const char *path = (const char *)read_bytes(&r, path_length);
    if (read_end(&r, "file request", err) < 0)
        return -1;
    if (!message_path_is_safe(path, path_length))
        return error_set(err, ERROR_INVALID, "unsafe path in a file request");
    *ret_message = (struct file_request_message){
        .operation = (enum file_operation)operation,
        .recursive = recursive,
        .path = path,
        .path_length = path_length,
    };
    return 0;
}

size_t message_write_file_entry(const struct file_entry_message *message,
                                uint8_t ret_data[FILE_ENTRY_BYTES_MAX])
{
    assert(message->path_length <= FILE_PATH_MAX);
    uint8_t *p = write_u8(ret_data, (uint8_t)message->kind);
    p = write_u64(p, message->size_bytes);
    p = write_u64(p, (uint64_t)message->modified_s);
    p = write_u32(p, message->modified_ns);
    p = write_bytes(p, message->path, message->path_length);
    return (size_t)(p - ret_data);
}

int message_read_file_entry(const uint8_t *data, size_t length,
                            struct file_entry_message *ret_message, struct error *err)
{
    struct reader r = {.data = data, .left = length};
    uint8_t kind = read_u8(&r);
    if (kind == 0 || kind >= FILE_KIND_END)
        r.failed = true;
    struct file_entry_message message = {.kind = (enum file_kind)kind};
    message.size_bytes = read_u64(&r);
    message.modified_s = (int64_t)read_u64(&r);
    message.modified_ns = read_u32(&r);
    message.path_length = r.left;
    message.path = (const char *)read_bytes(&r, r.left);
    if (message.path_length >= FILE_PATH_MAX ||
        (message.path && memchr(message.path, '\0', message.path_length)))
        r.failed = true;
    if (read_end(&r, "file entry", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

size_t message_write_result(uint32_t error_number, const char *text,
                            uint8_t ret_data[RESULT_BYTES_MAX])
{
    uint8_t *p = write_u32(ret_data, error_number);
    p = write_bytes(p, text, strnlen(text, RESULT_TEXT_MAX));
    return (size_t)(p - ret_data);
}

int message_read_result(const uint8_t *data, size_t length, struct result_message *ret_message,
                        struct error *err)
{
    struct reader r = {.data = data, .left = length};
    struct result_message message = {.error_number = read_u32(&r)};
    message.text_length = r.left;
    message.text = (const char *)read_bytes(&r, r.left);
    if (message.text_length > RESULT_TEXT_MAX)
        r.failed = true;
    if (read_end(&r, "result", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

size_t message_write_session_limits(const struct session_limits_message *message,
                                    uint8_t ret_data[SESSION_LIMITS_BYTES])
{
    uint8_t *p = write_u64(ret_data, message->memory_bytes);
    p = write_u64(p, message->data_bytes);
    p = write_u32(p, message->data_inodes);
    p = write_u32(p, message->tasks);
    p = write_u32(p, message->cpu_percent);
    return (size_t)(p - ret_data);
}

int message_read_session_limits(const uint8_t *data, size_t length,
                                struct session_limits_message *ret_message, struct error *err)
{
    struct reader r = {.data = data, .left = length};
    struct session_limits_message message = {.memory_bytes = read_u64(&r)};
    message.data_bytes = read_u64(&r);
    message.data_inodes = read_u32(&r);
    message.tasks = read_u32(&r);
    message.cpu_percent = read_u32(&r);
    if (!message.memory_bytes || !message.data_bytes || !message.data_inodes || !message.tasks ||
        !message.cpu_percent)
        r.failed = true;
    if (read_end(&r, "session limits", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

size_t message_write_gone(const struct gone_message *message, uint8_t ret_data[GONE_MESSAGE_BYTES])
{
    uint8_t *p = write_u32(ret_data, message->wait_status);
    p = write_u8(p, message->out_of_memory);
    return (size_t)(p - ret_data);
}

int message_read_gone(const uint8_t *data, size_t length, struct gone_message *ret_message,
                      struct error *err)
{
    struct reader r = {.data = data, .left = length};
    struct gone_message message = {.wait_status = read_u32(&r)};
    message.out_of_memory = read_flag(&r);
    if (read_end(&r, "gone", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

size_t message_write_root(const struct root_message *message, uint8_t ret_data[ROOT_MESSAGE_BYTES])
{
    uint8_t *p = write_u64(ret_data, message->data_bytes);
    p = write_u32(p, message->data_inodes);
    return (size_t)(p - ret_data);
}

int message_read_root(const uint8_t *data, size_t length, struct root_message *ret_message,
                      struct error *err)
{
    struct reader r = {.data = data, .left = length};
    struct root_message message = {.data_bytes = read_u64(&r)};
    message.data_inodes = read_u32(&r);
    if (read_end(&r, "root", err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}
