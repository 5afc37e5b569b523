/* describe: policies in words and as documents, for people. */
#pragma once

#include "base/core/buf.h"
#include "sandboxd/policy/policy.h"

/* "domain is AF_INET, type & SOCK_TYPE_MASK is SOCK_STREAM"; nothing where there are none. */
void describe_conditions(const struct filter_rule *rule, struct buf *out);

/* The policy with all that it has from others. */
void describe_policy(const struct policy *policy, struct buf *out);

/* Whether the policy allows a call, when, and why. */
void describe_call(const struct policy *policy, int number, struct buf *out);

/* A line for each call that the two answer differently, and for each other setting. Returns how
 * many there are. */
size_t describe_difference(const struct policy *a, const struct policy *b, struct buf *out);

/* A document that says the same without extending anything; json_decref it. */
struct json_t *describe_as_json(const struct policy *policy);
