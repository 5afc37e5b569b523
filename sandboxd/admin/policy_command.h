/* policy_command: what the files of `sandboxd policy` share. */
#pragma once

#include "sandboxd/policy/policy.h"

/* Statuses: nothing to find fault with, something, a command line that makes no sense. */
enum { POLICY_GOOD = 0, POLICY_FINDING = 1, POLICY_USAGE = 2 };

/* Prints the error. Returns the exit status. */
int policy_command_fail(const struct error *err);

/* Runs the command, prints the policy that it needs, and on standard error what the given policy
 * refuses of it and has too much. */
int policy_command_learn(const struct policy *policy, const char *name, const char *const *command);

/* Runs the command as the policy would have it, and says what was refused. */
int policy_command_try(const struct policy *policy, const char *const *command);
