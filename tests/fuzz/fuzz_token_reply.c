#include <ctype.h>

#include "agent/credential/credential.h"
#include "agent/credential/reply.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct token_reply reply = {0};
    struct error err = {0};
    if (token_reply_read(text, size, 1000, &reply, &err) == 0)
        CHECK(credential_token_is_valid(reply.token, strlen(reply.token)));
    else
        CHECK(!reply.token && err.code == ERROR_INVALID);
    token_reply_clear(&reply);

    token_reply_refusal(400, text, size, &err);
    CHECK(err.code == ERROR_DENIED);
    size_t run = 0;
    for (const char *at = err.message; *at; at++) {
        run = isalnum((unsigned char)*at) ? run + 1 : 0;
        CHECK(run <= 40);
    }
    return 0;
}
