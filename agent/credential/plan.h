/* plan: what to do for a token, for each source of DefaultAzureCredential, in its order:
 * environment (a client secret), workload identity, managed identity, Azure CLI, Azure Developer
 * CLI.
 *
 * Pure: reads the environment and one file (the federated token), and says which request or which
 * program would bring a token. Sources: azure-identity for Python (_credentials/ app_service.py,
 * imds.py, azure_cli.py), Microsoft identity platform, "OAuth 2.0 client credentials flow".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"

enum token_source {
    TOKEN_SECRET,
    TOKEN_WORKLOAD,
    TOKEN_MANAGED,         /* IDENTITY_ENDPOINT: Container Apps, App Service, a local daemon */
    TOKEN_VIRTUAL_MACHINE, /* IMDS */
    TOKEN_AZURE_CLI,
    TOKEN_DEVELOPER_CLI,
    TOKEN_SOURCES,
};

enum { TOKEN_ARGUMENTS_MAX = 10 };

/* Free with token_plan_clear. */
struct token_plan {
    /* a program, when arguments[0] is set; texts borrowed or in `texts` */
    const char *arguments[TOKEN_ARGUMENTS_MAX];
    /* else a request */
    char *url;
    char *header;    /* NULL: none */
    struct buf body; /* of a POST form; empty: a GET */
    int64_t connect_timeout_ms;
    int64_t total_timeout_ms;
    char *texts[2]; /* owned */
};

/* The name for messages: "managed identity". */
const char *token_source_name(enum token_source source);
/* True when the environment speaks of it; programs and IMDS count only by being tried. */
bool token_source_is_given(enum token_source source);
/* ERROR_MISSING: this source is not configured, and the message says what it would take.
 * ERROR_INVALID: it is, wrongly. */
int token_plan_make(enum token_source source, const char *scope, struct token_plan *ret_plan,
                    struct error *err);
void token_plan_clear(struct token_plan *plan);
