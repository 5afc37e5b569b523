/* settings: what policies for sessions say beside calls: limits, mounts, devices, environment,
 * Landlock. Each is an array of entries that have a name and a `why`; an entry of a policy takes
 * the place of its parent's of the same name. */
#pragma once

#include <jansson.h>

#include "sandboxd/policy/policy.h"

enum { SETTINGS_SECTIONS_MAX = 5 };

/* "limits" and so on; NULL behind the last. */
const char *settings_section(size_t index);
/* The member of an entry that is its name: "limit". */
const char *settings_key(size_t index);

/* Reads the sections of a document into *policy, on top of its parent's (NULL: there is none, and
 * everything must be said). */
int settings_read(json_t *document, const struct policy *parent, struct policy *policy,
                  struct error *err);
