/* issuer: the key that this daemon signs tokens with, and checks them with.
 *
 * An RSA key of 2048 bits, made on the first start and kept in the state directory as "issuer.key"
 * (PKCS #8, mode 0600). Whoever holds it can be anybody to this daemon, and to no other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/core/error.h"

struct issuer;

/* Loads the key; makes it where there is none and may_create is set. A file that is there but is
 * not such a key is an error and stays as it is. *ret_issuer is returned. */
int issuer_open(int state_fd, bool may_create, struct issuer **ret_issuer, struct error *err);
void issuer_destroy(struct issuer *issuer);
DEFINE_AUTO(issuer)

/* The key's RFC 7638 thumbprint; borrowed. */
const char *issuer_key_id(const struct issuer *issuer);

/* RS256: RSASSA-PKCS1-v1_5 with SHA-256. Appends the signature's bytes. */
int issuer_sign(const struct issuer *issuer, const void *data, size_t length, struct buf *signature,
                struct error *err);
bool issuer_verify(const struct issuer *issuer, const void *data, size_t length,
                   const void *signature, size_t signature_length);

/* Appends the public key as a JSON Web Key Set (RFC 7517). */
int issuer_write_jwks(const struct issuer *issuer, struct buf *out, struct error *err);
