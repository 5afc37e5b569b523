/* certificate: X.509 certificates in files of the state directory, PEM, mode 0644.
 *
 * Within sandboxd/identity only: it shows GnuTLS's types. Certificates that are returned are freed
 * with gnutls_x509_crt_deinit.
 */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    CERTIFICATE_TEXT_MAX = 32 * 1024,
    CERTIFICATE_NAMES_MAX = 40,
    CERTIFICATE_DAY_S = 24 * 60 * 60,
};

/* What a server certificate is for. */
struct certificate_names {
    const char *items[CERTIFICATE_NAMES_MAX]; /* host names and addresses; borrowed */
    size_t count;
};

/* Adds a host name or an address, once. ERROR_INVALID when it is neither, ERROR_LIMIT at the end.
 */
int certificate_names_add(struct certificate_names *names, const char *name, struct error *err);

int certificate_load(int state_fd, const char *file, gnutls_x509_crt_t *ret_certificate,
                     struct error *err);
int certificate_save(int state_fd, const char *file, gnutls_x509_crt_t certificate,
                     struct error *err);

bool certificate_has_key(gnutls_x509_crt_t certificate, gnutls_privkey_t key);
bool certificate_is_signed_by(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority);
/* For exactly these names. */
bool certificate_is_for(gnutls_x509_crt_t certificate, const struct certificate_names *names);

/* Valid from a day before now_s on, for clocks that disagree. */
int certificate_make_authority(gnutls_privkey_t key, int64_t now_s, int valid_days,
                               gnutls_x509_crt_t *ret_certificate, struct error *err);
int certificate_make_server(gnutls_privkey_t key, gnutls_x509_crt_t authority,
                            gnutls_privkey_t authority_key, const struct certificate_names *names,
                            int64_t now_s, int valid_days, gnutls_x509_crt_t *ret_certificate,
                            struct error *err);
