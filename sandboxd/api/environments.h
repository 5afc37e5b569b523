/* environments: which sessions an MCP endpoint has promised, and which of them were there.
 *
 * An environment is MCP's word for a session. Its launch only hands out an identifier; the session
 * is made by the first run. With this memory a run in an environment that has expired says so
 * instead of beginning anew without a word. It is bounded and ends with the front: an identifier
 * that was forgotten counts as the caller's own, for which a session is made.
 */
#pragma once

#include <stdbool.h>

#include "base/core/random.h"

enum { ENVIRONMENTS_MAX = 4096 }; /* launches remembered (our limit) */

struct environments;

/* returned */
struct environments *environments_create(void);
void environments_destroy(struct environments *environments);

/* A new identifier; the oldest is forgotten for it when there are too many. `pool` is compared, not
 * looked at. */
void environments_launch(struct environments *environments, const void *pool,
                         char ret_identifier[GUID_TEXT_MAX]);
/* Its session is there. Nothing for one that was not launched here. */
void environments_note_session(struct environments *environments, const void *pool,
                               const char *identifier);
/* It was launched here and its session was there once. */
bool environments_had_session(const struct environments *environments, const void *pool,
                              const char *identifier);
