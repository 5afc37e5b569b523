/* payload: what the confined processes say to each other: front, interpreters and file helpers.
 *
 * Nobody else reads these payloads: the broker and PID 1 of a session pass on the channels that
 * they travel in, or a frame as a whole. As in sandboxd/control/message.h each is a struct as it
 * lies in memory; readers take untrusted bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/control/message.h"

enum { FILE_PATH_MAX = 4096 }; /* bytes of a path below the data directory; as PATH_MAX */

/* FRAME_DONE */
enum done_display {
    DISPLAY_NOTHING, /* no trailing expression, or ";" */
    DISPLAY_NONE,    /* the last expression was None */
    DISPLAY_TEXT,    /* RESULT_TEXT chunks came before */
    DISPLAY_IMAGE,   /* RESULT_IMAGE chunks came before */
    DISPLAY_END,
};
struct done_message {
    uint64_t wall_us;
    uint64_t cpu_us;
    uint32_t succeeded; /* 0 or 1 */
    uint32_t display;   /* enum done_display */
};
int payload_read_done(const struct frame *frame, struct done_message *ret_message,
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
    uint32_t operation;       /* enum file_operation */
    uint32_t recursive;       /* 0 or 1 */
    char path[FILE_PATH_MAX]; /* relative, as payload_path_is_safe wants it; "": the directory */
};
int payload_read_file_request(const struct frame *frame, struct file_request_message *ret_message,
                              struct error *err);

/* True for a path that FILE_* operations accept: bounded, relative, no NUL, no "." or "..", no
 * empty part, no part over 255 bytes. The front asks before it sends, the helper asks again. */
bool payload_path_is_safe(const char *path, size_t length);

/* FRAME_FILE_ENTRY */
enum file_kind { FILE_KIND_FILE = 1, FILE_KIND_DIRECTORY, FILE_KIND_OTHER, FILE_KIND_END };
struct file_entry_message {
    uint64_t size_bytes;
    int64_t modified_s;
    uint32_t modified_ns;
    uint32_t kind;            /* enum file_kind */
    char path[FILE_PATH_MAX]; /* relative to the data directory; any bytes but NUL */
};
int payload_read_file_entry(const struct frame *frame, struct file_entry_message *ret_message,
                            struct error *err);
