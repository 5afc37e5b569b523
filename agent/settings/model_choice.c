#include "agent/settings/model_choice.h"

#include <string.h>

#include "agent/settings/environment.h"
#include "base/core/variable.h"

#define OPENAI_ENDPOINT "https://api.openai.com/v1"

/* ---- where ---- */

struct place {
    const char *source;
    const char *endpoint;
    const char *key_name;
    bool is_azure;
};

static bool is_azure_host(const char *endpoint)
{
    static const char *const domains[] = {".openai.azure.", ".services.ai.azure.",
                                          ".cognitiveservices.azure."};
    bool found = false;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        found |= strstr(endpoint, domains[i]) != NULL;
    return found;
}

static int find_place(const struct model_options *options, struct place *ret_place,
                      struct error *err)
{
    const char *azure = variable_get("AZURE_OPENAI_ENDPOINT");
    const char *base = variable_get("OPENAI_BASE_URL");
    if (options->endpoint) {
        bool is_azure = is_azure_host(options->endpoint);
        *ret_place = (struct place){"--model-endpoint", options->endpoint,
                                    is_azure ? "AZURE_OPENAI_API_KEY" : "OPENAI_API_KEY", is_azure};
    } else if (azure) {
        *ret_place = (struct place){"AZURE_OPENAI_ENDPOINT", azure, "AZURE_OPENAI_API_KEY", true};
    } else if (base) {
        *ret_place = (struct place){"OPENAI_BASE_URL", base, "OPENAI_API_KEY", is_azure_host(base)};
    } else if (variable_get("OPENAI_API_KEY")) {
        *ret_place = (struct place){"OPENAI_API_KEY", OPENAI_ENDPOINT, "OPENAI_API_KEY", false};
    } else {
        return error_set(err, ERROR_MISSING,
                         "no model: set AZURE_OPENAI_ENDPOINT and "
                         "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME, or OPENAI_BASE_URL, or give "
                         "--model-endpoint URL");
    }
    return 0;
}

/* ---- which wire ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    while (length > 0 && text[length - 1] == '/')
        length--;
    return length >= tail && memcmp(text + length - tail, end, tail) == 0;
}

/* Azure's v1 paths: an empty version, "v1", or an endpoint that says so. */
static bool is_dated(const char *endpoint, const char *version)
{
    return version && strcmp(version, "v1") != 0 && strcmp(version, "preview") != 0 &&
           strcmp(version, "latest") != 0 && !ends_with(endpoint, "/openai/v1");
}

static int choose_wire(const struct model_options *options, const struct place *place,
                       struct model_settings *settings, struct error *err)
{
    static const char *const versions[] = {"AZURE_OPENAI_VERSION", "OPENAI_API_VERSION", NULL};
    const char *version = options->api_version;
    if (place->is_azure && !version)
        version = variable_first(versions);
    const char *wire = options->wire ? options->wire : "chat";
    bool dated = place->is_azure && is_dated(place->endpoint, version);
    if (strcmp(wire, "responses") == 0)
        settings->wire = MODEL_RESPONSES;
    else if (strcmp(wire, "chat") == 0)
        settings->wire = dated ? MODEL_AZURE_CHAT : MODEL_CHAT;
    else
        return error_set(err, ERROR_INVALID, "--model-wire must be \"chat\" or \"responses\"");
    if (dated && settings->wire == MODEL_AZURE_CHAT)
        settings->api_version = version;
    else if (version && strcmp(version, "preview") == 0)
        settings->api_version = version;
    return 0;
}

static int choose_protocol(const struct model_options *options, struct model_settings *settings,
                           struct error *err)
{
    const char *protocol = options->protocol ? options->protocol : "tools";
    if (strcmp(protocol, "react") == 0)
        settings->protocol = MODEL_REACT;
    else if (strcmp(protocol, "tools") != 0)
        return error_set(err, ERROR_INVALID, "--protocol must be \"tools\" or \"react\"");
    if (settings->protocol == MODEL_REACT && settings->wire == MODEL_RESPONSES)
        return error_set(err, ERROR_INVALID,
                         "--protocol react needs --model-wire chat: the Responses API has tools");
    return 0;
}

static int choose_model(const struct model_options *options, const struct place *place,
                        struct model_settings *settings, struct error *err)
{
    static const char *const azure[] = {"SANDPOOL_MODEL", "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME",
                                        "AZURE_OPENAI_DEPLOYMENT_NAME", NULL};
    static const char *const others[] = {"SANDPOOL_MODEL", "OPENAI_MODEL", NULL};
    settings->model =
        options->model ? options->model : variable_first(place->is_azure ? azure : others);
    if (settings->model)
        return 0;
    return error_set(err, ERROR_INVALID, "%s names no model: set %s, or give --model NAME",
                     place->source,
                     place->is_azure ? "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME (the deployment)"
                                     : "OPENAI_MODEL");
}

/* ---- what proves that we may ---- */

/* As the application that started this: a key that is not empty goes first, else Entra on Azure. */
static int choose_auth(const struct model_options *options, const struct place *place,
                       struct model_choice *choice, struct error *err)
{
    const char *auth = options->auth ? options->auth : "auto";
    const char *key = variable_get(place->key_name);
    bool is_auto = strcmp(auth, "auto") == 0;
    if (strcmp(auth, "key") == 0 && !key)
        return error_set(err, ERROR_INVALID, "--auth key: %s is not set", place->key_name);
    if (strcmp(auth, "key") == 0 || (is_auto && key)) {
        choice->settings.api_key = key;
        choice->auth =
            place->is_azure ? "the key in AZURE_OPENAI_API_KEY" : "the key in OPENAI_API_KEY";
    } else if (strcmp(auth, "entra") == 0 || (is_auto && place->is_azure)) {
        choice->settings.use_credential = true;
        choice->auth = "a token of Microsoft Entra";
    } else if (strcmp(auth, "none") == 0 || is_auto) {
        choice->auth = "nothing";
    } else {
        return error_set(err, ERROR_INVALID,
                         "--auth must be \"auto\", \"key\", \"entra\" or \"none\"");
    }
    return 0;
}

int model_choose(const struct model_options *options, struct model_choice *ret_choice,
                 struct error *err)
{
    struct place place = {0};
    struct model_choice choice = {0};
    if (find_place(options, &place, err) < 0 ||
        choose_wire(options, &place, &choice.settings, err) < 0 ||
        choose_protocol(options, &choice.settings, err) < 0 ||
        choose_model(options, &place, &choice.settings, err) < 0 ||
        choose_auth(options, &place, &choice, err) < 0)
        return -1;
    choice.settings.endpoint = place.endpoint;
    choice.source = place.source;
    *ret_choice = choice;
    return 0;
}
