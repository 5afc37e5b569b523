/* jwt: access tokens (RFC 7519) as this daemon issues and accepts them: RS256, by its own key.
 *
 * The parser meets clients' bytes; it is total, bounded and fuzzed (tests/fuzz/fuzz_token.c).
 * Messages say what is wrong with a token, never the token.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"
#include "sandboxd/identity/issuer.h"

enum {
    JWT_BYTES_MAX = 8 * 1024, /* Azure's own stay below 4 KiB */
    JWT_CLAIM_BYTES_MAX = 256,
    /* Clocks of clients and virtual machines; what Azure's own libraries allow. */
    JWT_SKEW_S = 300,
};

/* "iss" of every token of this daemon. */
#define JWT_ISSUER "https://sandpool.invalid/"

/* "" where a claim is absent. */
struct jwt_claims {
    char aud[JWT_CLAIM_BYTES_MAX];
    char oid[JWT_CLAIM_BYTES_MAX];   /* the principal */
    char appid[JWT_CLAIM_BYTES_MAX]; /* its application; "azp" in newer tokens */
    char sub[JWT_CLAIM_BYTES_MAX];
    char tid[JWT_CLAIM_BYTES_MAX]; /* the tenant */
    int64_t expires_s;             /* Unix time, like all below; 0 where absent */
    int64_t not_before_s;
};

/* Appends a signed token. The claims are written as they are, "iat" is claims->not_before_s. */
int jwt_sign(const struct issuer *issuer, const struct jwt_claims *claims, struct buf *out,
             struct error *err);

/* Checks form, algorithm, key, signature, issuer and times; not the audience (jwt_check_audience).
 * ERROR_DENIED, or ERROR_INVALID when it is no such token at all. */
int jwt_verify(const struct issuer *issuer, const char *token, size_t length, int64_t now_s,
               struct jwt_claims *ret_claims, struct error *err);

/* Reads the claims of any JWT and believes all of them: for a mode that checks nothing. */
int jwt_read_unverified(const char *token, size_t length, struct jwt_claims *ret_claims,
                        struct error *err);

/* ERROR_DENIED, naming the token's audience and the accepted ones, unless it is one of `accepted`
 * (NULL-terminated; a slash at the end and the case do not matter). */
int jwt_check_audience(const struct jwt_claims *claims, const char *const *accepted,
                       struct error *err);
