/* request_head: what a request is for, and may it be?
 *
 * In this order: does it come from here and not from a web page elsewhere; which operation and
 * which pool does it name; may its sender do that; in which version of the API; about which
 * session; and can its body fit? docs/api.md has a section for each.
 */
#pragma once

#include <stdbool.h>

struct exchange;

/* Fills target, match, pool, version, generation and identifier. False when a step fails: the
 * exchange has then been answered. */
bool request_head_read(struct exchange *exchange);
