/* reply: a token endpoint's or a command line program's answer as a token (RFC 6749 section 5;
 * azure-identity's app_service.py, imds.py, azure_cli.py, azd_cli.py). Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    TOKEN_REPLY_BYTES_MAX = 256 * 1024,
    TOKEN_LIFETIME_UNKNOWN_S = 600, /* ours, where a reply does not say how long it is good */
};

/* Free with token_reply_clear, which wipes it. */
struct token_reply {
    char *token;
    int64_t expires_s; /* seconds since 1970 */
};
/* ERROR_INVALID: not a reply with a token. */
int token_reply_read(const char *data, size_t length, int64_t now_s, struct token_reply *ret_reply,
                     struct error *err);
void token_reply_clear(struct token_reply *reply);

/* The message in an answer that says no, as an error; nothing that looks like a token is kept. */
int token_reply_refusal(unsigned status, const char *data, size_t length, struct error *err);

/* Replaces what could be a token or another secret (a long run of its characters) by "***". */
void token_scrub(char *text);
