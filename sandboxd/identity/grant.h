/* grant: a token for whoever asks as Azure's credentials ask.
 *
 * Runs in: the front. Pure but for the signature: what was sent is passed in as texts (NULL:
 * absent), and the answer is the JSON body. Nothing lists applications here, so a secret or an
 * assertion has only to be there: whoever reaches this endpoint may be anybody, as on a development
 * machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "sandboxd/identity/issuer.h"

enum {
    GRANT_IDENTITY_LIFETIME_S = 24 * 60 * 60, /* what Azure gives managed identities */
    GRANT_CLIENT_LIFETIME_S = 3599,
};

struct grant {
    const struct issuer *issuer;
    const char *host; /* the request's Host header */
    int64_t now_s;
};

/* The managed identity endpoint and IMDS. */
struct grant_identity_request {
    const char *resource;
    const char *client_id;
    const char *object_id; /* "principal_id" means the same */
    const char *resource_id;
    bool with_times; /* IMDS: expires_in, ext_expires_in and not_before too */
};

/* The OAuth 2.0 client credentials grant. */
struct grant_client_request {
    const char *tenant;
    const char *grant_type;
    const char *scope;
    const char *client_id;
    const char *client_secret;
    const char *client_assertion;
};

enum grant_outcome {
    GRANT_ISSUED,
    GRANT_REFUSED,      /* the request is wrong */
    GRANT_UNAUTHORIZED, /* no secret, or not the right one */
    GRANT_FAILED,       /* a fault of ours */
};

/* Each appends the answer to body, or an error in OAuth's form:
 * {"error":"invalid_scope","error_description":"..."}. */
enum grant_outcome grant_to_identity(const struct grant *grant,
                                     const struct grant_identity_request *request,
                                     struct buf *body);
enum grant_outcome grant_to_client(const struct grant *grant,
                                   const struct grant_client_request *request, struct buf *body);

/* Appends an error in that form. */
void grant_write_error(const char *error, const char *description, struct buf *body);
