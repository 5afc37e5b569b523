#include "agent/llm/explain.h"

#include <stdlib.h>
#include <string.h>

/* Azure's role for asking models (docs/agent.md). */
#define ROLE_NAME "Cognitive Services OpenAI User"
#define ROLE_ID   "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"

/* The server's own words, as a last clause; "" where it has none. */
struct words {
    char text[sizeof((struct refusal *)0)->message + 4];
};

/* Servers repeat the key that they refuse. Words that were cut may end with a part of it. */
static void hide_key(char *text, const char *key)
{
    enum { PART_BYTES_MIN = 4 };
    size_t length = key ? strlen(key) : 0;
    if (length == 0)
        return;
    for (char *at = text; (at = strstr(at, key)); at += length)
        memset(at, '*', length);
    size_t text_length = strlen(text);
    for (size_t part = length - 1; part >= PART_BYTES_MIN; part--) {
        if (part <= text_length && memcmp(text + text_length - part, key, part) == 0) {
            memset(text + text_length - part, '*', part);
            return;
        }
    }
}

static struct words words_of(const struct explain_context *context, const struct refusal *refusal)
{
    struct words words = {""};
    if (refusal->message[0])
        snprintf(words.text, sizeof words.text, ": %s", refusal->message);
    hide_key(words.text, context->key);
    return words;
}

unsigned explain_true_status(unsigned status, const struct refusal *refusal)
{
    static const struct {
        const char *code;
        unsigned status;
    } codes[] = {
        {"rate_limit_exceeded", 429}, {"rate_limit_error", 429}, {"too_many_requests", 429},
        {"server_error", 500},        {"internal_error", 500},   {"api_error", 500},
        {"overloaded_error", 503},    {"overloaded", 503},       {"timeout", 408},
    };
    if (status != 200)
        return status;
    unsigned long number = strtoul(refusal->code, NULL, 10);
    if (number >= 400 && number < 600)
        return (unsigned)number;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(refusal->code, codes[i].code) == 0)
            return codes[i].status;
    }
    return 400;
}

static void explain_denied(const struct explain_context *context, unsigned status,
                           const struct words *words, struct error *err)
{
    const char *who = context->is_azure ? "AZURE_OPENAI_API_KEY" : "the key in the settings";
    if (context->has_key && status == 401)
        error_set(err, ERROR_DENIED,
                  "the model's service refused the key (401): %s must be a key of that resource%s",
                  who, words->text);
    else if (context->has_key)
        error_set(err, ERROR_DENIED,
                  "the model's service forbids access with this key (403): keys may be switched "
                  "off there, or its network rules keep this machine out%s",
                  words->text);
    else if (context->has_token)
        error_set(err, ERROR_DENIED,
                  "the model's service refused the identity (%u): it needs the role \"" ROLE_NAME
                  "\" on the resource: az role assignment create --role " ROLE_ID
                  " --assignee WHO --scope RESOURCE (takes effect within 5 minutes)%.120s",
                  status, words->text);
    else
        error_set(err, ERROR_DENIED, "the model's server wants a key (%u) and none is set%s",
                  status, words->text);
}

static void explain_missing(const struct explain_context *context, const struct refusal *refusal,
                            const struct words *words, struct error *err)
{
    bool names_model = strcasestr(refusal->code, "model") || strcasestr(refusal->message, "model");
    if (strcmp(refusal->code, "DeploymentNotFound") == 0)
        error_set(err, ERROR_MISSING,
                  "there is no deployment \"%.64s\" at that resource (404): check "
                  "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME; a new deployment needs some minutes",
                  context->model);
    else if (names_model)
        error_set(err, ERROR_MISSING,
                  "the server does not have the model \"%.64s\" (404): name one that it lists, or "
                  "fetch it there%.160s",
                  context->model, words->text);
    else
        error_set(err, ERROR_MISSING,
                  "there is nothing at %.160s (404): check the endpoint%s%.160s", context->url,
                  context->is_azure ? " and the API version" : "", words->text);
}

static void explain_kind(const struct explain_context *context, unsigned status,
                         const struct refusal *refusal, struct model_failure *failure)
{
    struct words words = words_of(context, refusal);
    struct error *err = &failure->error;
    switch (failure->kind) {
    case MODEL_DENIED:
        explain_denied(context, status, &words, err);
        break;
    case MODEL_MISSING:
        explain_missing(context, refusal, &words, err);
        break;
    case MODEL_QUOTA:
        error_set(err, ERROR_LIMIT,
                  "the quota of this key is used up (insufficient_quota): waiting does not help, "
                  "its plan and billing do%s",
                  words.text);
        break;
    case MODEL_BUSY:
        error_set(err, status == 429 ? ERROR_LIMIT : ERROR_SYSTEM,
                  status == 429
                      ? "the model's service accepts no more for now (%u): wait, or raise "
                        "the deployment's tokens per minute%s"
                      : "the model's service has trouble (%u)%s",
                  status, words.text);
        break;
    case MODEL_TOO_LONG:
        error_set(err, ERROR_LIMIT, "the conversation is longer than the model can take in%s",
                  words.text);
        break;
    case MODEL_FILTERED:
        error_set(err, ERROR_DENIED,
                  "the service's content filter refused the question%s%s: put it differently",
                  refusal->filters[0] ? ", for: " : "", refusal->filters);
        break;
    default:
        error_set(err, ERROR_INVALID, "the model's service refused the question (%u)%s", status,
                  words.text);
    }
}

static enum model_failure_kind kind_of(unsigned status, const struct refusal *refusal)
{
    if (refusal_is_about_content(refusal))
        return MODEL_FILTERED;
    if (refusal_is_about_context_length(refusal))
        return MODEL_TOO_LONG;
    if (refusal_is_about_quota(refusal))
        return MODEL_QUOTA;
    switch (status) {
    case 401:
    case 403:
        return MODEL_DENIED;
    case 404:
        return MODEL_MISSING;
    case 408:
    case 409:
    case 429:
        return MODEL_BUSY;
    default:
        return status >= 500 ? MODEL_BUSY : MODEL_REFUSED;
    }
}

void explain_refusal(const struct explain_context *context, unsigned status,
                     const struct refusal *refusal, struct model_failure *ret_failure)
{
    unsigned true_status = explain_true_status(status, refusal);
    struct model_failure failure = {.status = status, .retry_after_ms = -1};
    failure.kind = kind_of(true_status, refusal);
    explain_kind(context, true_status, refusal, &failure);
    *ret_failure = failure;
}
