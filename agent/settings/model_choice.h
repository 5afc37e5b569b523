/* model_choice: from options and environment to one model: where it is, which wire it speaks, and
 * what proves that we may ask it. No input or output.
 *
 * In this order: --model-endpoint; AZURE_OPENAI_ENDPOINT with its deployment (the names of the
 * application that started this, as azd writes them); OPENAI_BASE_URL; OPENAI_API_KEY alone, which
 * means OpenAI itself.
 */
#pragma once

#include "agent/llm/model.h"

/* As given on the command line; NULL where absent. */
struct model_options {
    const char *endpoint;
    const char *model;
    const char *api_version;
    const char *wire;     /* "chat" or "responses" */
    const char *protocol; /* "tools" or "react" */
    const char *auth;     /* "auto", "key", "entra" or "none" */
};

/* Texts are borrowed from the options and the environment. */
struct model_choice {
    struct model_settings settings;
    const char *source; /* the option or variable that named the endpoint */
    const char *auth;   /* for people: "the key in OPENAI_API_KEY" */
};
/* ERROR_MISSING: nothing names a model. ERROR_INVALID: something does, wrongly or not completely;
 * the message names the option or variable. */
int model_choose(const struct model_options *options, struct model_choice *ret_choice,
                 struct error *err);
