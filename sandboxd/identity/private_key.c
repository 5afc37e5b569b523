#include "sandboxd/identity/private_key.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/state_file.h"

static int import_key(const char *name, char *text, size_t length, gnutls_privkey_t *ret_key,
                      struct error *err)
{
    gnutls_datum_t data = {.data = (unsigned char *)text, .size = (unsigned)length};
    gnutls_privkey_t key = NULL;
    int result = gnutls_privkey_init(&key);
    if (result == 0)
        result = gnutls_privkey_import_x509_raw(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0) {
        gnutls_privkey_deinit(key);
        return error_set(err, ERROR_INVALID,
                         "%s holds no private key (%s); remove it to have a new one made", name,
                         gnutls_strerror(result));
    }
    *ret_key = key;
    return 0;
}

static int generate(gnutls_x509_privkey_t key, const struct private_key_kind *kind,
                    gnutls_datum_t *ret_text)
{
    bool rsa = kind->algorithm == PRIVATE_KEY_RSA;
    unsigned bits = rsa ? kind->bits : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    int result = gnutls_x509_privkey_generate(key, rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA, bits, 0);
    if (result < 0)
        return result;
    return gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                             ret_text);
}

static int create_key(int state_fd, const char *name, const struct private_key_kind *kind,
                      struct error *err)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t text = {0};
    int result = gnutls_x509_privkey_init(&key);
    if (result == 0)
        result = generate(key, kind, &text);
    gnutls_x509_privkey_deinit(key);
    if (result != 0)
        return error_set(err, ERROR_SYSTEM, "make a key for %s: %s", name, gnutls_strerror(result));

    int written = state_file_write(state_fd, name, STATE_FILE_SECRET, text.data, text.size, err);
    explicit_bzero(text.data, text.size);
    gnutls_free(text.data);
    return written;
}

static int load_key(int state_fd, const char *name, gnutls_privkey_t *ret_key, struct error *err)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    if (state_file_read(state_fd, name, STATE_FILE_SECRET, PRIVATE_KEY_TEXT_MAX, &text, &length,
                        err) < 0)
        return -1;
    int result = import_key(name, text, length, ret_key, err);
    explicit_bzero(text, length);
    return result;
}

int private_key_open(int state_fd, const char *name, const struct private_key_kind *kind,
                     gnutls_privkey_t *ret_key, struct error *err)
{
    struct error missing = {0};
    if (load_key(state_fd, name, ret_key, &missing) == 0)
        return 0;
    if (missing.code != ERROR_MISSING || !kind) {
        *err = missing;
        return -1;
    }
    if (create_key(state_fd, name, kind, err) < 0)
        return -1;
    return load_key(state_fd, name, ret_key, err);
}
