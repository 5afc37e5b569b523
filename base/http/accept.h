/* accept: what an Accept header says about one media type (RFC 9110, section 12.5.1).
 *
 * Runs in: the front, on bytes of clients. Elements that are not understood are skipped.
 */
#pragma once

enum accept_match {
    ACCEPT_NOT,      /* no element covers the type, or the closest one has a quality of 0 */
    ACCEPT_BY_RANGE, /* covered by a wildcard; an absent or empty header covers everything */
    ACCEPT_BY_NAME,
};

/* accept may be NULL; type is "text/event-stream" or the like. */
enum accept_match accept_find(const char *accept, const char *type);
