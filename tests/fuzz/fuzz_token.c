#include "sandboxd/identity/jwt.h"
#include "tests/fuzz/fuzz.h"

/* Reading never believes more than it checks: claims stay within their bounds and are terminated.
 */
static void check_claims(const struct jwt_claims *claims)
{
    const char *const texts[] = {claims->aud, claims->oid, claims->appid, claims->sub, claims->tid};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK(strnlen(texts[i], JWT_CLAIM_BYTES_MAX) < JWT_CLAIM_BYTES_MAX);
    CHECK(claims->expires_s >= 0 && claims->not_before_s >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const accepted[] = {"https://dynamicsessions.io", NULL};
    struct jwt_claims claims;
    struct error err = {0};
    if (jwt_read_unverified((const char *)data, size, &claims, &err) < 0) {
        CHECK(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
        return 0;
    }
    CHECK(size <= JWT_BYTES_MAX);
    check_claims(&claims);
    if (jwt_check_audience(&claims, accepted, &err) < 0)
        CHECK(err.code == ERROR_DENIED);
    return 0;
}
