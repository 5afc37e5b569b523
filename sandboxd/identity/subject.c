#include "sandboxd/identity/subject.h"

#include <ctype.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "sandboxd/identity/roles.h"

enum { SHA256_BYTES = 32 };

/* The first bytes of the digest, as RFC 9562 lays out a version 8 GUID. */
static int guid_from_text(const char *text, char ret_guid[GUID_TEXT_MAX], struct error *err)
{
    char lower[SUBJECT_RESOURCE_ID_MAX];
    unsigned char b[SHA256_BYTES];
    size_t length = strlen(text);
    if (length >= sizeof lower)
        return error_set(err, ERROR_INVALID, "the resource id is longer than %d characters",
                         SUBJECT_RESOURCE_ID_MAX - 1);
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    int result = gnutls_hash_fast(GNUTLS_DIG_SHA256, lower, length, b);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "SHA-256: %s", gnutls_strerror(result));
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x80);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(ret_guid, GUID_TEXT_MAX,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return 0;
}

static int check_guid(const char *name, const char *value, struct error *err)
{
    if (value && !guid_is_valid(value))
        return error_set(err, ERROR_INVALID, "%s: \"%.80s\" is not a GUID", name, value);
    return 0;
}

static void copy_guid(char ret_claim[JWT_CLAIM_BYTES_MAX], const char *guid)
{
    for (size_t i = 0; i < GUID_TEXT_MAX; i++)
        ret_claim[i] = (char)tolower((unsigned char)guid[i]);
}

int subject_fill_claims(const struct subject *subject, const char *audience, int64_t now_s,
                        int64_t lifetime_s, struct jwt_claims *ret_claims, struct error *err)
{
    char made[GUID_TEXT_MAX] = "";
    const char *client_id = subject->client_id, *object_id = subject->object_id;
    struct jwt_claims claims = {.not_before_s = now_s, .expires_s = now_s + lifetime_s};
    if (check_guid("client id", client_id, err) < 0 || check_guid("object id", object_id, err) < 0)
        return -1;
    if (strlen(audience) >= sizeof claims.aud)
        return error_set(err, ERROR_INVALID, "the audience is longer than %zu bytes",
                         sizeof claims.aud - 1);

    if (!client_id && !object_id && subject->resource_id) {
        if (guid_from_text(subject->resource_id, made, err) < 0)
            return -1;
        client_id = made;
    }
    bool nobody = !client_id && !object_id;
    snprintf(claims.aud, sizeof claims.aud, "%s", audience);
    copy_guid(claims.appid, nobody ? SUBJECT_CLIENT_ID : client_id ? client_id : object_id);
    copy_guid(claims.oid, nobody ? SUBJECT_OBJECT_ID : object_id ? object_id : client_id);
    memcpy(claims.sub, claims.oid, sizeof claims.sub);
    bool is_tenant = subject->tenant && guid_is_valid(subject->tenant);
    copy_guid(claims.tid, is_tenant ? subject->tenant : SUBJECT_TENANT);
    *ret_claims = claims;
    return 0;
}
