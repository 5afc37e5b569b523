/* authority: a certificate authority for development, and this daemon's certificate by it.
 *
 * Kept in the state directory: "ca.key" (mode 0600), "ca.pem" (0644; ten years), "server.key"
 * (0600), "server.pem" (0644; a year). All keys are ECDSA on P-256. Clients trust ca.pem: whoever
 * holds ca.key can be any server to them, so it is made on this machine and for it alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

#define AUTHORITY_CERTIFICATE_FILE "ca.pem"

enum {
    AUTHORITY_VALID_DAYS = 3650,
    /* Clients refuse certificates of more than 825 days (Apple's rule, 2019). */
    SERVER_VALID_DAYS = 365,
    SERVER_RENEWED_BEFORE_DAYS = 30,
};

/* What libmicrohttpd is given. */
struct server_certificate {
    char *certificate_pem;
    char *key_pem;
};
void server_certificate_clear(struct server_certificate *certificate);

/* Loads authority and certificate, and makes what is missing. The certificate is for localhost,
 * 127.0.0.1, ::1 and `names` (host names or addresses); it is made anew when it is for other names,
 * by another authority, or ends within SERVER_RENEWED_BEFORE_DAYS of now_s (Unix time). A file that
 * is there but broken is ERROR_INVALID and stays as it is; so is a malformed name. */
int authority_open(int state_fd, const char *const *names, size_t name_count, int64_t now_s,
                   struct server_certificate *ret_certificate, struct error *err);
