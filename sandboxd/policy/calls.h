/* calls: the entries of one document's "calls" as rules. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "sandboxd/policy/policy.h"

/* Adds groups and rules to *policy, whose name and default_error are set and which has none yet.
 * Rules of one call that contradict each other are ERROR_INVALID, and so is one that another makes
 * useless. On failure the caller clears the policy. */
int calls_read(json_t *calls, struct policy *policy, struct error *err);

/* Puts the parent's groups and rules in front, but for rules of a call that the policy speaks of
 * itself. The parent is cleared. */
int calls_inherit(struct policy *policy, struct policy *parent, struct error *err);

/* True when all conditions of the rule hold. */
bool calls_match(const struct filter_rule *rule, const uint64_t arguments[6]);
