/* file_path: the path below the data directory that a request means.
 *
 * Clients write "x.txt", "sub/x.txt", "/mnt/data/x.txt", and a directory as "", "/", "sub", "/sub"
 * or
 * "/mnt/data/sub" (docs/api.md, "File names"). The result is payload_path_is_safe.
 */
#pragma once

#include "base/core/error.h"
#include "sandboxd/payload/payload.h"

struct file_path {
    char text[FILE_PATH_MAX + 1]; /* "" is the data directory */
    size_t length;
};

/* directory may be NULL. */
int file_path_read_directory(const char *directory, struct file_path *ret_path, struct error *err);
/* A file in that directory. name must not be empty. */
int file_path_read(const char *directory, const char *name, struct file_path *ret_path,
                   struct error *err);
/* What follows the last slash. */
const char *file_path_base_name(const char *path);
