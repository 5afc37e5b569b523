/* origin: keeps web pages from reaching the daemon through their reader's browser.
 *
 * A page elsewhere can make a browser send requests to 127.0.0.1, and by DNS rebinding even read
 * the answers under its own name. A name of somebody else's is therefore no name of ours, whoever
 * asks. Browsers say besides where a request comes from; other clients do not send these headers
 * and are not affected.
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"

/* Further names of this daemon. Addresses, localhost and names below it always are. */
struct origin_names {
    const char *const *items; /* without port; borrowed */
    size_t count;
};

/* Each header may be NULL. ERROR_DENIED when the request names another host than ours, or comes
 * from a web page of another origin. */
int origin_check(const struct origin_names *names, const char *host, const char *origin,
                 const char *fetch_site, struct error *err);
