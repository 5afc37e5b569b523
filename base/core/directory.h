/* directory: making directories by path, and reading the names in one that is held by a descriptor.
 */
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include "base/core/error.h"

/* fd is taken, also on failure; it may be -1 with errno set, from an open that failed. NULL with
 * errno set; else closedir ends it. */
DIR *directory_read(int fd);
/* The same with a descriptor of its own; fd is borrowed and may be O_PATH. */
DIR *directory_list(int fd);

/* Makes what is missing of it: those above with mode 0755. What is there stays as it is. */
int directory_make(const char *path, mode_t mode, struct error *err);
/* Only those above. */
int directory_make_parents(const char *path, struct error *err);
