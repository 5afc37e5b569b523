/* audience: what a token may be for.
 */
#pragma once

#include <stdbool.h>

enum audience_plane { AUDIENCE_DATA, AUDIENCE_ARM };

/* The service's names, the daemon's own origin, NULL. */
enum { AUDIENCES_MAX = 4 };

/* Lists the accepted audiences of a plane, without a slash at the end. own_origin ("https://HOST")
 * is borrowed for as long as the list is used. */
void audience_list(enum audience_plane plane, const char *own_origin,
                   const char *ret_audiences[AUDIENCES_MAX]);

/* Does this daemon issue tokens for it? The service's names, and origins ("https://HOST:PORT") on
 * loopback or on the host of `host`, the request's Host header (may be NULL): Azure's management
 * libraries ask for the endpoint that they were given. */
bool audience_is_issued(const char *resource, const char *host);
