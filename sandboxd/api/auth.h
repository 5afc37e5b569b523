/* auth: may this request do what its route is for?
 *
 * Called after routing and before the body. docs/api.md, "Tokens".
 */
#pragma once

#include <stdbool.h>

struct exchange;

/* False when not: the exchange has then been answered with 401 or 403 and the reason. */
bool auth_check(struct exchange *exchange);

/* "https://HOST", as the client wrote it, or as a proxy says that it did where proxies are trusted:
 * the start of every URL that answers give out. */
enum { AUTH_ORIGIN_MAX = 300 };
void auth_write_origin(const struct exchange *exchange, char ret_origin[AUTH_ORIGIN_MAX]);
