/* refusal: what a model's server says when it refuses, in the forms that servers have for it.
 *
 * {"error":{"message","type","param","code","innererror"}} and, from gateways and other servers,
 * {"error":"..."}, {"statusCode","message"}, {"object":"error","message"}, {"detail":...}. Fuzzed
 * with the answers that it is part of.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

/* "" where absent. The server's words, cut to fit, as UTF-8. */
struct refusal {
    char code[64]; /* "code", or "type" where there is none */
    char type[64];
    char param[128];
    char message[320];
    char filters[96]; /* which content filters it names: "hate, jailbreak" */
};

/* False: this is no error. */
bool refusal_read(json_t *root, struct refusal *ret_refusal);
/* A body of any kind; one that is not such JSON gives its first words as the message. */
void refusal_read_body(const char *data, size_t length, struct refusal *ret_refusal);

/* The request's parameter that the server does not know or want, by `param` and by the words of
 * its message. */
bool refusal_names(const struct refusal *refusal, const char *parameter);
/* It says that something is not supported, not known or not allowed. */
bool refusal_is_about_support(const struct refusal *refusal);
/* It cannot do tool calls at all. */
bool refusal_is_about_tools(const struct refusal *refusal);
bool refusal_is_about_context_length(const struct refusal *refusal);
bool refusal_is_about_content(const struct refusal *refusal);
bool refusal_is_about_quota(const struct refusal *refusal);
