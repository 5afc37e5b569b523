/* state: the state directory, handed from one daemon to the next. */
#pragma once

#include <sys/types.h>

#include "base/core/error.h"

/* Makes it where it is missing, and gives it and the files in it to `owner`, the id of this
 * daemon's front; NULL where that is the caller, whose it is already. It stays locked while *ret_fd
 * is open: ERROR_CONFLICT when another daemon uses it, or when it holds what no daemon has made. */
int state_open(const char *path, const uid_t *owner, int *ret_fd, struct error *err);
