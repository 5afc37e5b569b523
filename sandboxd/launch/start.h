/* start: from root on the machine to the broker in a user namespace of its own.
 *
 * Runs in: sandboxd, for a few milliseconds, with the machine's root. Reads arguments and opens
 * files; parses nothing that a client or a guest wrote. The last step is an exec in the same
 * process id, so that whoever started sandboxd keeps watching the right process.
 */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"

struct start_options {
    const char *listen;    /* ADDRESS:PORT */
    const char *state_dir; /* made when missing */
    const char *config;    /* a file, or NULL */
    bool insecure;         /* an address other than loopback is meant */
};

/* Returns only on failure. */
int start_daemon(const struct start_options *options, struct error *err);
