#include "sandboxd/identity/issuer.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/writer.h"
#include "sandboxd/identity/private_key.h"

static const char key_file[] = "issuer.key";

enum {
    ISSUER_KEY_BITS = 2048,
    SHA256_BYTES = 32,
    NUMBER_BYTES_MAX = 8192, /* text of a modulus of a key of any sensible size */
};

struct issuer {
    gnutls_privkey_t private_key;
    gnutls_pubkey_t public_key;
    struct buf modulus;  /* base64url */
    struct buf exponent; /* base64url */
    struct buf key_id;   /* base64url */
};

/* ---- the public numbers ---- */

static int read_numbers(struct issuer *issuer, struct error *err)
{
    gnutls_datum_t modulus = {0}, exponent = {0};
    int result = gnutls_pubkey_export_rsa_raw2(issuer->public_key, &modulus, &exponent,
                                               GNUTLS_EXPORT_FLAG_NO_LZ);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "read the public key: %s", gnutls_strerror(result));
    bool fits = base64url_encode(modulus.data, modulus.size, &issuer->modulus) &&
                base64url_encode(exponent.data, exponent.size, &issuer->exponent);
    gnutls_free(modulus.data);
    gnutls_free(exponent.data);
    return fits ? 0 : error_set(err, ERROR_LIMIT, "the public key is too large");
}

/* RFC 7638, section 3: exactly these members, in this order, without white space. */
static int make_key_id(struct issuer *issuer, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    unsigned char digest[SHA256_BYTES];
    buf_printf(&text, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", issuer->exponent.data,
               issuer->modulus.data);
    int result = gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data, text.length, digest);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "SHA-256: %s", gnutls_strerror(result));
    base64url_encode(digest, sizeof digest, &issuer->key_id);
    return 0;
}

/* ---- opening ---- */

static int check_key(gnutls_privkey_t key, struct error *err)
{
    unsigned bits = 0;
    if (gnutls_privkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA || bits < ISSUER_KEY_BITS)
        return error_set(
            err, ERROR_INVALID,
            "%s is not an RSA key of %d bits or more; remove it to have a new one made", key_file,
            ISSUER_KEY_BITS);
    return 0;
}

static int open_keys(struct issuer *issuer, struct error *err)
{
    if (check_key(issuer->private_key, err) < 0)
        return -1;
    int result = gnutls_pubkey_init(&issuer->public_key);
    if (result == 0)
        result = gnutls_pubkey_import_privkey(issuer->public_key, issuer->private_key, 0, 0);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "read the public key: %s", gnutls_strerror(result));
    return read_numbers(issuer, err) < 0 ? -1 : make_key_id(issuer, err);
}

int issuer_open(int state_fd, bool may_create, struct issuer **ret_issuer, struct error *err)
{
    struct private_key_kind kind = {.algorithm = PRIVATE_KEY_RSA, .bits = ISSUER_KEY_BITS};
    AUTO(issuer) struct issuer *issuer = xcalloc(1, sizeof *issuer);
    issuer->modulus.limit = issuer->exponent.limit = issuer->key_id.limit = NUMBER_BYTES_MAX;
    if (private_key_open(state_fd, key_file, may_create ? &kind : NULL, &issuer->private_key, err) <
            0 ||
        open_keys(issuer, err) < 0)
        return -1;
    *ret_issuer = TAKE(issuer);
    return 0;
}

void issuer_destroy(struct issuer *issuer)
{
    if (!issuer)
        return;
    if (issuer->public_key)
        gnutls_pubkey_deinit(issuer->public_key);
    if (issuer->private_key)
        gnutls_privkey_deinit(issuer->private_key);
    buf_free(&issuer->modulus);
    buf_free(&issuer->exponent);
    buf_free(&issuer->key_id);
    free(issuer);
}

/* ---- use ---- */

const char *issuer_key_id(const struct issuer *issuer)
{
    return issuer->key_id.data;
}

/* GnuTLS does not write through the pointer. */
static gnutls_datum_t datum(const void *data, size_t length)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)data, .size = (unsigned)length};
}

int issuer_sign(const struct issuer *issuer, const void *data, size_t length, struct buf *signature,
                struct error *err)
{
    gnutls_datum_t input = datum(data, length), output = {0};
    int result =
        gnutls_privkey_sign_data2(issuer->private_key, GNUTLS_SIGN_RSA_SHA256, 0, &input, &output);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "sign: %s", gnutls_strerror(result));
    bool fits = buf_append(signature, output.data, output.size);
    gnutls_free(output.data);
    return fits ? 0 : error_set(err, ERROR_LIMIT, "the signature does not fit");
}

bool issuer_verify(const struct issuer *issuer, const void *data, size_t length,
                   const void *signature, size_t signature_length)
{
    gnutls_datum_t input = datum(data, length), value = datum(signature, signature_length);
    return gnutls_pubkey_verify_data2(issuer->public_key, GNUTLS_SIGN_RSA_SHA256, 0, &input,
                                      &value) >= 0;
}

int issuer_write_jwks(const struct issuer *issuer, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, "keys");
    writer_open_object(&writer, NULL);
    writer_string(&writer, "kty", "RSA");
    writer_string(&writer, "use", "sig");
    writer_string(&writer, "alg", "RS256");
    writer_string(&writer, "kid", issuer->key_id.data);
    writer_string(&writer, "n", issuer->modulus.data);
    writer_string(&writer, "e", issuer->exponent.data);
    writer_close_object(&writer);
    writer_close_array(&writer);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}
