/* policy_names: the policies that a pool may choose: those for sessions that this daemon has read,
 * by their numbers. Set once, at the start, from what the broker says. */
#pragma once

#include <stdint.h>

#include "base/core/error.h"

/* "python strict": borrowed, in the order of their numbers. */
void policy_names_set(const char *names);

/* ERROR_INVALID lists those there are. Where none have been set every name passes, as number 0:
 * programs that only look at pools need not know. */
int policy_names_find(const char *name, uint8_t *ret_number, struct error *err);
