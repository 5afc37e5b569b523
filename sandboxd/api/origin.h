/* origin: keeps web pages from reaching the daemon through their reader's browser.
 *
 * A page elsewhere can make a browser send requests to 127.0.0.1, and by DNS rebinding even read
 * the answers under its own name. Browsers say where a request comes from; other clients do not
 * send these headers and are not affected.
 */
#pragma once

#include "base/core/error.h"

/* Each header may be NULL. ERROR_DENIED when the request comes from a web page of another origin.
 */
int origin_check(const char *host, const char *origin, const char *fetch_site, struct error *err);
