/* state: the state directory, handed from one daemon to the next. */
#pragma once

#include <sys/types.h>

#include "base/core/error.h"

/* Gives the directory, and the files in it that are another daemon's, to `owner`, the id of this
 * daemon's front. */
int state_hand_over(int dir_fd, uid_t owner, struct error *err);
