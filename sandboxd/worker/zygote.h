/* zygote: the warm interpreter that is forked into sessions.
 *
 * Sees the session image's root, never a tenant's bytes: only FRAME_JOIN messages of the broker.
 * Exactly one thread, checked before every fork.
 */
#pragma once

#include "base/core/error.h"

/* The descriptor that the broker leaves open across the exec. */
enum { ZYGOTE_BROKER_FD = 3 };

/* Builds the root, warms the interpreter, then forks one session for each FRAME_JOIN until the
 * broker goes. modules: what to import ahead. */
int zygote_run(char *const *modules, int count, struct error *err);
