/* admin: what a person asks the daemon's state directory for: variables, tokens, the authority.
 *
 * Runs in: sandboxd-admin, which sandboxd executes for `sandboxd env`, `token` and `ca`. Started by
 * root, it first becomes the owner of the directory: nothing that the front wrote is read with
 * root's power.
 */
#pragma once

#include "base/core/error.h"

struct admin_state {
    int fd;
    char *path; /* absolute */
};

/* Opens the directory and becomes its owner if we are root. ERROR_MISSING when it is not there. */
int admin_open_state(const char *path, struct admin_state *ret_state, struct error *err);
void admin_close_state(struct admin_state *state);
#define AUTO_ADMIN_STATE __attribute__((cleanup(admin_close_state)))

/* Prints an error of reading the state directory, with what to do about it. Returns the exit
 * status. */
int admin_fail(const struct admin_state *state, const struct error *err);

/* Each takes the arguments from its own name on and returns the exit status. */
int env_run(int argc, char **argv);
int token_run(int argc, char **argv);
int ca_run(int argc, char **argv);
/* Looks at policies, not at the state directory. */
int policy_run(int argc, char **argv);
