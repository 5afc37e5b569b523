/* supervise: runs a program and asks somebody about each of its system calls.
 *
 * By seccomp user notification, of the program and all that it starts. No boundary: what pointers
 * lead to may change behind the back of who is asked. Needs no privilege.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"

struct supervise_call {
    bool is_native; /* of this machine's architecture; else the number means something else */
    int number;
    const uint64_t *arguments; /* six */
};

/* 0 lets the call through, an errno refuses it. */
typedef int supervise_decide(void *self, const struct supervise_call *call);

/* command is looked for as a shell does. Its first call asked about is the first after it has been
 * executed. Returns when it and all that it has started are gone, with its status as wait(2) gives
 * it. ERROR_MISSING: there is no such program. */
int supervise_run(char *const *command, supervise_decide *decide, void *self, int *ret_status,
                  struct error *err);
