/* describe_settings: limits, mounts and the other settings of policies in words. */
#pragma once

#include "base/core/buf.h"
#include "sandboxd/policy/policy.h"

void describe_settings(const struct policy *policy, struct buf *out);

/* A line for each setting that differs, whatever its `why`. Returns how many there are. */
size_t describe_settings_difference(const struct policy *a, const struct policy *b,
                                    struct buf *out);
