/* explain: from a refusal to its kind and a sentence with cause and remedy. Pure. */
#pragma once

#include "agent/llm/model.h"
#include "agent/llm/refusal.h"

/* What the sentences name. */
struct explain_context {
    const char *url;
    const char *model;
    const char *key; /* never told, even where the server repeats it; NULL: none */
    bool is_azure;
    bool has_key;
    bool has_token;
};

/* status: of the answer, 200 for an error inside a stream. Fills kind, error and status. */
void explain_refusal(const struct explain_context *context, unsigned status,
                     const struct refusal *refusal, struct model_failure *ret_failure);
/* A status that stands for the refusal: an error inside a 200 says by its code what it would have
 * been. */
unsigned explain_true_status(unsigned status, const struct refusal *refusal);
