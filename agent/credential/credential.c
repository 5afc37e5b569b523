#include "agent/credential/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/variable.h"

/* ---- waits ---- */

void credential_ask(const struct credential *credential, const char *scope, bool fresh,
                    struct credential_wait *wait)
{
    credential->ask(credential->self, scope, fresh, wait);
}

void credential_cancel(struct credential_wait *wait)
{
    if (!wait->link)
        return;
    *wait->link = wait->next;
    if (wait->next)
        wait->next->link = wait->link;
    wait->link = NULL;
}

void credential_wait_push(struct credential_wait **list, struct credential_wait *wait)
{
    wait->next = *list;
    wait->link = list;
    if (wait->next)
        wait->next->link = &wait->next;
    *list = wait;
}

void credential_wait_end_all(struct credential_wait **list, const char *token,
                             const struct error *failure)
{
    struct credential_wait *ended = *list, *wait;
    *list = NULL;
    if (ended)
        ended->link = &ended;
    while ((wait = ended)) {
        credential_cancel(wait);
        wait->on_token(wait->self, token, failure);
    }
}

/* ---- tokens ---- */

bool credential_token_is_valid(const char *token, size_t length)
{
    if (length == 0 || length > CREDENTIAL_TOKEN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return false;
    }
    return true;
}

bool credential_is_given(void)
{
    return variable_get("SANDPOOL_TOKEN");
}

static void give(const char *token, const char *scope, struct credential_wait *wait)
{
    struct error err = {0};
    if (!token)
        error_set(&err, ERROR_DENIED,
                  "no credential: set SANDPOOL_TOKEN to a bearer token for %s, for example from: "
                  "az account get-access-token --query accessToken --output tsv --scope %s",
                  scope, scope);
    else if (!credential_token_is_valid(token, strlen(token)))
        error_set(&err, ERROR_DENIED,
                  "SANDPOOL_TOKEN is not a bearer token: it must be at most %d printable "
                  "characters without spaces or line ends",
                  CREDENTIAL_TOKEN_BYTES_MAX);
    wait->on_token(wait->self, err.code ? NULL : token, err.code ? &err : NULL);
}

static void ask_for_local_pool(void *self, const char *scope, bool fresh,
                               struct credential_wait *wait)
{
    (void)self;
    (void)fresh;
    const char *token = variable_get("SANDPOOL_TOKEN");
    give(token ? token : "local", scope, wait);
}

static void ask_for_remote_pool(void *self, const char *scope, bool fresh,
                                struct credential_wait *wait)
{
    (void)self;
    (void)fresh;
    give(variable_get("SANDPOOL_TOKEN"), scope, wait);
}

struct credential credential_from_environment(bool pool_is_local)
{
    return (struct credential){.ask = pool_is_local ? ask_for_local_pool : ask_for_remote_pool};
}
