/* access: may whoever sends this Authorization header do this?
 *
 * Runs in: the front, for each request, before its body. Pure: time, key and roles are passed in.
 */
#pragma once

#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/identity/issuer.h"
#include "sandboxd/identity/roles.h"

enum access_mode {
    ACCESS_NONE, /* anybody, without a header too; roles are not looked at */
    ACCESS_ANY,  /* any bearer token that is not empty; roles believe what it says */
    ACCESS_JWT,  /* a token of this daemon, for this audience */
};

/* "none", "any", "jwt"; ERROR_INVALID for any other word. */
int access_mode_find(const char *name, enum access_mode *ret_mode, struct error *err);
const char *access_mode_name(enum access_mode mode);

struct access_rules {
    enum access_mode mode;
    const struct issuer *issuer; /* ACCESS_JWT */
    const struct roles *roles;
    int64_t now_s; /* Unix time */
};

struct access_request {
    const char *authorization;    /* the header; NULL where absent */
    const char *const *audiences; /* accepted ones, NULL-terminated */
    const char *role_id;          /* what the caller must be; NULL: anybody with a token */
    const char *scope;            /* of what: a resource id */
};

enum access_outcome {
    ACCESS_GRANTED,
    ACCESS_UNAUTHENTICATED, /* 401: nobody, or not somebody we know */
    ACCESS_FORBIDDEN,       /* 403: somebody without the role */
};

/* *err says why it is not granted, for the client to read. */
enum access_outcome access_check(const struct access_rules *rules,
                                 const struct access_request *request, struct error *err);
