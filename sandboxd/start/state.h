/* state: the state directory, found or made, and locked. */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"

/* Makes it where it is missing. It stays locked while *ret_fd is open: ERROR_CONFLICT when another
 * daemon uses it, or when it holds what no daemon has made. changes_hands: it will be given to the
 * id of this daemon's front, as it was to an earlier one's. */
int state_open(const char *path, bool changes_hands, int *ret_fd, struct error *err);
