/* message: what is inside the payloads of frames.
 *
 * Writers fill a caller's buffer and return the length. Readers take untrusted bytes: each field is
 * checked, trailing bytes are ERROR_INVALID, and text points into the payload with its length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    SESSION_BLOB_MAX = 1024,
    FILE_PATH_MAX = 4096, /* bytes of a path below the data directory; as PATH_MAX */
    RESULT_TEXT_MAX = 512,
};

/* FRAME_DONE */
enum done_display {
    DISPLAY_NOTHING, /* no trailing expression, or ";" */
    DISPLAY_NONE,    /* the last expression was None */
    DISPLAY_TEXT,    /* RESULT_TEXT chunks came before */
    DISPLAY_IMAGE,   /* RESULT_IMAGE chunks came before */
    DISPLAY_END,
};
struct done_message {
    bool succeeded;
    enum done_display display;
    uint64_t wall_us;
    uint64_t cpu_us;
};
enum { DONE_MESSAGE_BYTES = 18 };
size_t message_write_done(const struct done_message *message, uint8_t ret_data[DONE_MESSAGE_BYTES]);
int message_read_done(const uint8_t *data, size_t length, struct done_message *ret_message,
                      struct error *err);

/* FRAME_FILE_REQUEST: one operation below the data directory */
enum file_operation {
    FILE_LIST = 1, /* entries of a directory; recursive: of the whole tree */
    FILE_STAT,     /* one entry */
    FILE_OPEN,     /* a regular file with one link, for reading; passes its descriptor; one entry */
    FILE_CREATE,   /* an unnamed file to be filled; passes its descriptor; path must be "" */
    FILE_COMMIT,   /* gives the passed descriptor a name, replacing a file; one entry */
    FILE_REMOVE,   /* a file, link or empty directory */
    FILE_OPERATION_END,
};
struct file_request_message {
    enum file_operation operation;
    bool recursive;
    const char *path; /* relative, without "." or ".." or empty parts; "" is the data directory */
    size_t path_length;
};
enum { FILE_REQUEST_BYTES_MAX = 4 + FILE_PATH_MAX };
size_t message_write_file_request(const struct file_request_message *message,
                                  uint8_t ret_data[FILE_REQUEST_BYTES_MAX]);
int message_read_file_request(const uint8_t *data, size_t length,
                              struct file_request_message *ret_message, struct error *err);

/* True for a path that FILE_* operations accept: bounded, relative, no NUL, no "." or "..", no
 * empty part, no part over 255 bytes. The front asks before it sends, the helper asks again. */
bool message_path_is_safe(const char *path, size_t length);

/* FRAME_FILE_ENTRY */
enum file_kind { FILE_KIND_FILE = 1, FILE_KIND_DIRECTORY, FILE_KIND_OTHER, FILE_KIND_END };
struct file_entry_message {
    enum file_kind kind;
    uint64_t size_bytes;
    int64_t modified_s;
    uint32_t modified_ns;
    const char *path; /* relative to the data directory; any bytes but NUL */
    size_t path_length;
};
enum { FILE_ENTRY_BYTES_MAX = 24 + FILE_PATH_MAX };
size_t message_write_file_entry(const struct file_entry_message *message,
                                uint8_t ret_data[FILE_ENTRY_BYTES_MAX]);
int message_read_file_entry(const uint8_t *data, size_t length,
                            struct file_entry_message *ret_message, struct error *err);

/* FRAME_*_FAILED, FRAME_FILE_DONE: an errno (0: it worked) and a sentence for the log */
struct result_message {
    uint32_t error_number;
    const char *text; /* not terminated */
    size_t text_length;
};
enum { RESULT_BYTES_MAX = 4 + RESULT_TEXT_MAX };
size_t message_write_result(uint32_t error_number, const char *text,
                            uint8_t ret_data[RESULT_BYTES_MAX]);
int message_read_result(const uint8_t *data, size_t length, struct result_message *ret_message,
                        struct error *err);

/* FRAME_SESSION_START: what a session may use; 0 is refused by the reader */
struct session_limits_message {
    uint64_t memory_bytes;
    uint64_t data_bytes;
    uint32_t data_inodes;
    uint32_t tasks;
    uint32_t cpu_percent; /* of one core: 100 is one core's worth */
};
enum { SESSION_LIMITS_BYTES = 28 };
size_t message_write_session_limits(const struct session_limits_message *message,
                                    uint8_t ret_data[SESSION_LIMITS_BYTES]);
int message_read_session_limits(const uint8_t *data, size_t length,
                                struct session_limits_message *ret_message, struct error *err);

/* FRAME_INTERPRETER_GONE */
struct gone_message {
    uint32_t wait_status; /* as wait(2) gives it */
    bool out_of_memory;   /* the kernel killed it for the session's memory limit */
};
enum { GONE_MESSAGE_BYTES = 5 };
size_t message_write_gone(const struct gone_message *message, uint8_t ret_data[GONE_MESSAGE_BYTES]);
int message_read_gone(const uint8_t *data, size_t length, struct gone_message *ret_message,
                      struct error *err);

/* FRAME_SHELL_SETUP, FRAME_ZYGOTE_SETUP: the size of the data directory */
struct root_message {
    uint64_t data_bytes;
    uint32_t data_inodes;
};
enum { ROOT_MESSAGE_BYTES = 12 };
size_t message_write_root(const struct root_message *message, uint8_t ret_data[ROOT_MESSAGE_BYTES]);
int message_read_root(const uint8_t *data, size_t length, struct root_message *ret_message,
                      struct error *err);
