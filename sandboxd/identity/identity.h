/* identity: everything of this daemon that is a secret or proves who it is, opened together.
 *
 * Runs in: the front, on start, once. The files are in the state directory; those that are missing
 * are made, which takes a fraction of a second.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/cleanup.h"
#include "base/core/error.h"
#include "sandboxd/identity/authority.h"
#include "sandboxd/identity/issuer.h"
#include "sandboxd/identity/secret.h"

#define IDENTITY_HEADER_FILE "identity-header"

struct identity_options {
    const char *const *names; /* further host names and addresses of the certificate */
    size_t name_count;
    int64_t now_s; /* Unix time */
};

struct identity {
    struct issuer *issuer;
    struct server_certificate certificate;
    char header[SECRET_TEXT_MAX]; /* what clients of the managed identity endpoint must send */
};

/* *ret_identity is returned. */
int identity_open(int state_fd, const struct identity_options *options,
                  struct identity **ret_identity, struct error *err);
void identity_destroy(struct identity *identity);
DEFINE_AUTO(identity)
