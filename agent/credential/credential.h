/* credential: where bearer tokens come from.
 *
 * A token is asked for by its scope and given to a wait, at once or later on the loop. Nothing here
 * keeps a token anywhere but in memory, and no error message contains one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

/* What tokens are issued for: session pools, and Azure OpenAI. */
#define CREDENTIAL_SCOPE_POOL  "https://dynamicsessions.io/.default"
#define CREDENTIAL_SCOPE_MODEL "https://cognitiveservices.azure.com/.default"

enum { CREDENTIAL_TOKEN_BYTES_MAX = 16 * 1024 }; /* our limit: Entra's tokens are 1 to 4 KiB */

/* Embedded in the caller's struct, which stays where it is until on_token or credential_cancel.
 * Zeroed but for the first two means inactive. */
struct credential_wait {
    void *self;
    /* Called once. token: borrowed for the call, fit to stand in a header; NULL: failure says why
     * and what to do. */
    void (*on_token)(void *self, const char *token, const struct error *failure);

    struct credential_wait *next;
    struct credential_wait **link; /* what points here; NULL: inactive */
};

/* A source of tokens. */
struct credential {
    void *self;
    void (*ask)(void *self, const char *scope, bool fresh, struct credential_wait *wait);
};

/* Calls wait->on_token, perhaps before it returns. `fresh`: the service has refused the token that
 * was given last, so one from memory will not do. */
void credential_ask(const struct credential *credential, const char *scope, bool fresh,
                    struct credential_wait *wait);
/* on_token will not be called. Harmless on an inactive wait. */
void credential_cancel(struct credential_wait *wait);

/* SANDPOOL_TOKEN from the environment, for every scope. Where it is unset or empty: "local" when
 * `pool_is_local` (a local daemon takes any token), else ERROR_DENIED. */
struct credential credential_from_environment(bool pool_is_local);
/* True when SANDPOOL_TOKEN holds something. */
bool credential_is_given(void);

/* False for a token that cannot stand in a header: empty, too long, or with bytes other than
 * printable ASCII without space. */
bool credential_token_is_valid(const char *token, size_t length);

/* ---- for sources ---- */

/* Puts a wait at the front of a list, and ends all of one. The list may be started anew by
 * on_token. */
void credential_wait_push(struct credential_wait **list, struct credential_wait *wait);
void credential_wait_end_all(struct credential_wait **list, const char *token,
                             const struct error *failure);
