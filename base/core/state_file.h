/* state_file: small files in a directory that is kept between starts.
 *
 * A file is read whole and bounded, or not at all; it is replaced whole or stays as it was. Links
 * and anything that is no regular file are refused.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/core/error.h"

enum {
    STATE_FILE_SECRET = 0600, /* refused when others could read it */
    STATE_FILE_PUBLIC = 0644,
    STATE_FILE_SWEPT_MAX = 4096, /* names that a sweep looks at (our limit) */
    STATE_FILE_LEFT_S = 60,      /* far longer than any of our writes takes */
};

/* Reads `name` below directory_fd. *ret_text is returned and NUL-terminated; ret_length may be
 * NULL. ERROR_MISSING when it is not there, ERROR_DENIED when it may not be read or when a secret
 * is open to others, ERROR_LIMIT beyond limit_bytes. */
int state_file_read(int directory_fd, const char *name, mode_t mode, size_t limit_bytes,
                    char **ret_text, size_t *ret_length, struct error *err);

/* Replaces `name`: readers see the old bytes or the new ones, and so does the next start. */
int state_file_write(int directory_fd, const char *name, mode_t mode, const void *data,
                     size_t length, struct error *err);

/* Removes what writes that were cut off have left: files ".NAME.GUID" older than STATE_FILE_LEFT_S,
 * so that a write under way in another process is left alone. ERROR_SYSTEM when the directory
 * cannot be read. */
int state_file_sweep(int directory_fd, struct error *err);
