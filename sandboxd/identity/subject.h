/* subject: whom a token is for.
 *
 * Nothing lists applications or identities here: every id is somebody. The same id is always the
 * same somebody, so that role assignments can name it.
 */
#pragma once

#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/identity/jwt.h"

/* Who is meant when nobody is named; easy to recognise in a token. */
#define SUBJECT_TENANT    "11111111-1111-1111-1111-111111111111"
#define SUBJECT_CLIENT_ID "22222222-2222-2222-2222-222222222222"
#define SUBJECT_OBJECT_ID "33333333-3333-3333-3333-333333333333"

enum {
    SUBJECT_RESOURCE_ID_MAX = 1024,
    TOKEN_LIFETIME_DEFAULT_S = 3600,
    TOKEN_LIFETIME_MAX_S = 366 * 24 * 60 * 60,
};

/* Each may be NULL. */
struct subject {
    const char *client_id;   /* GUID */
    const char *object_id;   /* GUID */
    const char *resource_id; /* of a user-assigned identity: any text */
    const char *tenant;      /* taken when it is a GUID, else the default */
};

/* Fills the claims of a token that is valid from now_s on. An id that is not given equals the one
 * that is; a resource id stands for ids made from it. ERROR_INVALID names the id that is no GUID,
 * or the audience or resource id that is too long. */
int subject_fill_claims(const struct subject *subject, const char *audience, int64_t now_s,
                        int64_t lifetime_s, struct jwt_claims *ret_claims, struct error *err);
