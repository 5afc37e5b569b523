/* floor: what every policy of a session refuses and allows, whoever wrote it. The promises of
 * docs/threat-model.md rest on it, and so does the check after the lock-down. */
#pragma once

#include "sandboxd/policy/policy.h"

/* Why no policy for sessions may allow what the rule matches; NULL when one may. */
const char *floor_object(const struct filter_rule *rule);

/* ERROR_INVALID names the rule, as far as one is to blame. */
int floor_check(const struct policy *policy, struct error *err);
