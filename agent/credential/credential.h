/* credential: where bearer tokens come from. */
#pragma once

#include <stdbool.h>

#include "base/core/buf.h"
#include "base/core/error.h"

/* What tokens for a pool are issued for. */
#define CREDENTIAL_SCOPE_POOL "https://dynamicsessions.io/.default"
/* What tokens for a model on Azure are issued for. */
#define CREDENTIAL_SCOPE_MODEL "https://cognitiveservices.azure.com/.default"

enum { CREDENTIAL_TOKEN_BYTES_MAX = 16 * 1024 }; /* our limit: Entra's tokens are 1 to 4 KiB */

/* A source of tokens. */
struct credential {
    void *self;
    /* Appends a token for that scope to out. ERROR_DENIED: there is none, and the message says what
     * to do. */
    int (*read_token)(void *self, const char *scope, struct buf *out, struct error *err);
};

/* SANDPOOL_TOKEN from the environment; where it is unset or empty, "local" for a pool on this
 * machine (a local daemon takes any token) and ERROR_DENIED for any other. */
struct credential credential_from_environment(bool pool_is_local);

/* False for a token that cannot stand in a header: empty, too long, or with bytes other than
 * printable ASCII without space. */
bool credential_token_is_valid(const char *token, size_t length);
