/* daemon_file: "daemon.json" of the state directory: how the daemon that runs there is reached.
 *
 * Written by the front when it listens, read by `sandboxd env` and `sandboxd token`. Mode 0644; it
 * holds no secret.
 */
#pragma once

#include "base/core/error.h"

enum { DAEMON_FILE_BYTES_MAX = 4096, DAEMON_TEXT_MAX = 320 };

struct daemon_file {
    char http[DAEMON_TEXT_MAX];  /* "127.0.0.1:8900" */
    char https[DAEMON_TEXT_MAX]; /* "" when there is no such listener */
    char auth[DAEMON_TEXT_MAX];  /* "none", "any" or "jwt" */
    char pool[DAEMON_TEXT_MAX];  /* path of the default pool's management endpoint, from "/" on */
};

int daemon_file_write(int state_fd, const struct daemon_file *file, struct error *err);
/* ERROR_MISSING: no daemon has run there. */
int daemon_file_read(int state_fd, struct daemon_file *ret_file, struct error *err);
