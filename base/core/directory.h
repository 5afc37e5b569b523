/* directory: reading the names in a directory that is held by a descriptor. */
#pragma once

#include <dirent.h>

/* fd is taken, also on failure; it may be -1 with errno set, from an open that failed. NULL with
 * errno set; else closedir ends it. */
DIR *directory_read(int fd);
/* The same with a descriptor of its own; fd is borrowed and may be O_PATH. */
DIR *directory_list(int fd);
