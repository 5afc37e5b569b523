/* adapt: what to leave out of a request after a refusal, so that asking again helps. Pure. */
#pragma once

#include "agent/llm/provider.h"
#include "agent/llm/refusal.h"

/* The parts that the refusal is about and that are not left out yet, or-ed; 0: none. *ret_names is
 * a list for people: "temperature, stop". */
enum { ADAPT_NAMES_MAX = 160 };
unsigned adapt_parts(const struct refusal *refusal, unsigned without,
                     char ret_names[ADAPT_NAMES_MAX]);
