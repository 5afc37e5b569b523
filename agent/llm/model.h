/* model: one language model behind an HTTP endpoint, asked for one answer at a time or several.
 *
 * Asynchronous on the loop: model_ask starts a call, events tell what arrives, on_done ends it. The
 * call retries what is worth it within a budget, leaves out parameters that this model refuses (and
 * remembers them), and changes to the text protocol when the server cannot do tools. A healthy
 * stream has no time limit; one that is silent has.
 */
#pragma once

#include "agent/credential/credential.h"
#include "agent/llm/llm.h"
#include "base/core/cleanup.h"
#include "base/core/loop.h"
#include "base/http/http_client.h"

struct model;
struct model_call; /* under way */

enum model_wire {
    MODEL_CHAT,       /* {base}/chat/completions: Azure's v1 and every compatible server */
    MODEL_AZURE_CHAT, /* dated api-version, the deployment in the path */
    MODEL_RESPONSES,  /* {base}/responses */
};

enum model_protocol {
    MODEL_TOOLS, /* native tool calls; MODEL_REACT from the moment the server says it has none */
    MODEL_REACT, /* Thought, Action, Action Input, Observation as text, over MODEL_CHAT or Azure */
};

/* Texts are copied. */
struct model_settings {
    enum model_wire wire;
    enum model_protocol protocol;
    /* MODEL_AZURE_CHAT: of the resource. Else the base URL; where it has no path, "/openai/v1" is
     * added for a host of Azure's and "/v1" for any other. */
    const char *endpoint;
    const char *model;          /* deployment or model name */
    const char *api_version;    /* MODEL_AZURE_CHAT: needed; else NULL or "preview" */
    const char *api_key;        /* NULL or "": none */
    bool use_credential;        /* a token for CREDENTIAL_SCOPE_MODEL, where there is no key */
    bool allow_insecure;        /* plain http to another machine with a key or token */
    const char *react_template; /* NULL: LangChain's */
    int64_t answer_tokens_max;  /* 0: the service's own limit */
    int64_t retry_budget_ms;    /* most time spent waiting for retries; 0: the default, -1: none */
    int64_t silence_timeout_ms; /* longest time without a byte; 0: the default */
    uint64_t seed;              /* of the jitter between retries */
};

enum model_failure_kind {
    MODEL_CANCELLED,
    MODEL_UNREACHABLE, /* no connection, silence, a stream that was cut: after the retries */
    MODEL_DENIED,      /* 401, 403 */
    MODEL_MISSING,     /* 404: no such deployment or model, or a wrong path */
    MODEL_BUSY,        /* 408, 409, 429, 5xx: after the retries */
    MODEL_QUOTA,       /* insufficient_quota: waiting does not help */
    MODEL_TOO_LONG,    /* the conversation does not fit into the model's context: shorten it */
    MODEL_FILTERED,    /* the service's content filter refused the prompt */
    MODEL_REFUSED,     /* any other refusal of the request */
    MODEL_UNREADABLE,  /* the answer breaks its format or a limit of ours */
};

struct model_failure {
    enum model_failure_kind kind;
    struct error error; /* a sentence with cause and remedy; the server's words are not escaped */
    unsigned status;    /* the HTTP status; 0: no answer */
    int64_t retry_after_ms; /* -1: it did not say */
};

struct model_handler {
    void *self;
    void (*on_event)(void *self, const struct llm_event *event);
    /* The call has ended and is gone afterwards. failure is NULL when the answer is complete (by
     * its finish, LENGTH and FILTER among them). The handler may take things out of the answer (and
     * zero them there). Never called from inside model_ask. */
    void (*on_done)(void *self, struct llm_answer *answer, const struct model_failure *failure);
};

/* loop and http are borrowed. The credential is used where the settings say so.
 * ERROR_INVALID, ERROR_DENIED: a setting cannot be used; the message names it. */
int model_create(struct loop *loop, struct http_client *http, const struct model_settings *settings,
                 struct credential credential, struct model **ret_model, struct error *err);
/* Every call must have ended. */
void model_destroy(struct model *model);
DEFINE_AUTO(model)

/* 0 with the call started; the request may be freed then. -1 with *err set: on_done is not called.
 */
int model_ask(struct model *model, const struct llm_request *request,
              const struct model_handler *handler, struct model_call **ret_call, struct error *err);
/* Ends it now: on_done is called with MODEL_CANCELLED, from inside this function. Not from inside
 * on_event. */
void model_call_cancel(struct model_call *call);

/* As it is now: the text protocol may have taken over. */
enum model_protocol model_protocol(const struct model *model);

/* What the service last said is left of its rate limits; -1: it did not say. */
struct model_limits {
    int64_t remaining_requests;
    int64_t remaining_tokens;
};
struct model_limits model_limits(const struct model *model);
