/* private_key: a private key in a file of the state directory, PKCS #8, mode 0600.
 *
 * Within sandboxd/identity only: it shows GnuTLS's type.
 */
#pragma once

#include <gnutls/abstract.h>

#include "base/core/error.h"

enum private_key_algorithm { PRIVATE_KEY_RSA, PRIVATE_KEY_P256 };

struct private_key_kind {
    enum private_key_algorithm algorithm;
    unsigned bits; /* of an RSA key */
};

/* A key's text is far smaller. */
enum { PRIVATE_KEY_TEXT_MAX = 16 * 1024 };

/* Loads the key `name`; makes one of `kind` where there is none (kind NULL: ERROR_MISSING). A file
 * that is there but holds no key is ERROR_INVALID and stays as it is. *ret_key is returned: free it
 * with gnutls_privkey_deinit. */
int private_key_open(int state_fd, const char *name, const struct private_key_kind *kind,
                     gnutls_privkey_t *ret_key, struct error *err);
