/* forwarded: where a client reaches this daemon, as a reverse proxy in front of it says.
 *
 * Anybody can send these headers, so they are read only when the configuration says that a proxy
 * sets them. Each is a list; the first word is the one nearest to the client.
 */
#pragma once

#include <stdbool.h>

enum { FORWARDED_HOST_MAX = 262 }; /* a DNS name and a port, and the terminator */

/* X-Forwarded-Proto: "http" or "https", in any case. NULL when it is absent or says neither. */
const char *forwarded_read_scheme(const char *value);
/* X-Forwarded-Host: a name or address with or without a port, of characters that hosts have. False
 * when it is absent or says no such thing. */
bool forwarded_read_host(const char *value, char ret_host[FORWARDED_HOST_MAX]);
