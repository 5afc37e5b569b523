#include "agent/credential/credential.h"

#include <stdlib.h>
#include <string.h>

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

static int append_token(const char *token, struct buf *out, struct error *err)
{
    if (!credential_token_is_valid(token, strlen(token)))
        return error_set(err, ERROR_DENIED,
                         "SANDPOOL_TOKEN is not a bearer token: it must be at most %d printable "
                         "characters without spaces or line ends",
                         CREDENTIAL_TOKEN_BYTES_MAX);
    if (!buf_append_text(out, token))
        return error_set(err, ERROR_LIMIT, "the token is too long");
    return 0;
}

static int read_for_local_pool(void *self, const char *scope, struct buf *out, struct error *err)
{
    (void)self;
    (void)scope;
    const char *token = getenv("SANDPOOL_TOKEN");
    return append_token(token && *token ? token : "local", out, err);
}

static int read_for_remote_pool(void *self, const char *scope, struct buf *out, struct error *err)
{
    (void)self;
    const char *token = getenv("SANDPOOL_TOKEN");
    if (!token || !*token)
        return error_set(err, ERROR_DENIED,
                         "no credential: set SANDPOOL_TOKEN to a bearer token for %s, for example "
                         "from: az account get-access-token --query accessToken --output tsv "
                         "--resource https://dynamicsessions.io",
                         scope);
    return append_token(token, out, err);
}

struct credential credential_from_environment(bool pool_is_local)
{
    return (struct credential){.read_token =
                                   pool_is_local ? read_for_local_pool : read_for_remote_pool};
}
