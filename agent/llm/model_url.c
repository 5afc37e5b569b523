#include "agent/llm/model_url.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

static bool is_given(const char *text)
{
    return text && *text;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length &&
           text_equal_ignoring_case(text + length - suffix_length, suffix);
}

static bool is_azure_host(const char *host)
{
    static const char *const suffixes[] = {".openai.azure.com", ".openai.azure.us",
                                           ".openai.azure.cn", ".cognitiveservices.azure.com",
                                           ".services.ai.azure.com"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (has_suffix(host, suffixes[i]))
            return true;
    }
    return false;
}

/* Letters, digits and "-": 2024-10-21, 2025-04-01-preview, preview. */
static bool is_version(const char *text)
{
    enum { VERSION_BYTES_MAX = 32 };
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz-.";
    return strlen(text) <= VERSION_BYTES_MAX && text[strspn(text, allowed)] == '\0';
}

static int check_settings(const struct model_settings *settings, struct error *err)
{
    if (!is_given(settings->endpoint))
        return error_set(err, ERROR_INVALID, "the model's endpoint is not set");
    if (!is_given(settings->model))
        return error_set(err, ERROR_INVALID,
                         "the model's name is not set: the deployment on Azure, else the model");
    if (settings->wire == MODEL_AZURE_CHAT && !is_given(settings->api_version))
        return error_set(err, ERROR_INVALID,
                         "the API version is not set, such as 2024-10-21; without one the "
                         "endpoint's v1 path is meant");
    if (is_given(settings->api_version) && !is_version(settings->api_version))
        return error_set(err, ERROR_INVALID, "%.40s is no API version: it looks like 2024-10-21",
                         settings->api_version);
    if (settings->wire == MODEL_RESPONSES && settings->protocol == MODEL_REACT)
        return error_set(err, ERROR_INVALID,
                         "the text protocol goes over chat completions, not over responses");
    return 0;
}

static int check_endpoint(const struct model_settings *settings, const struct http_url *url,
                          struct error *err)
{
    if (url->has_credentials || url->has_fragment || strchr(settings->endpoint, '?'))
        return error_set(err, ERROR_INVALID,
                         "the model's endpoint must have no user, query or fragment");
    bool has_secret = is_given(settings->api_key) || settings->use_credential;
    if (has_secret && !url->is_https && !url->is_loopback && !settings->allow_insecure)
        return error_set(err, ERROR_DENIED,
                         "the model's endpoint is plain http on another machine: the key or token "
                         "would be readable on the way; use https");
    return 0;
}

static bool has_path(const char *base)
{
    const char *host = strstr(base, "://");
    return host && strchr(host + 3, '/');
}

static void append_version(const struct model_settings *settings, struct buf *out)
{
    if (is_given(settings->api_version))
        buf_printf(out, "?api-version=%s", settings->api_version);
}

static void append_base(const char *endpoint, struct buf *out)
{
    buf_append_text(out, endpoint);
    while (out->length > 0 && out->data[out->length - 1] == '/')
        out->data[--out->length] = '\0';
}

static void build_dated(const struct model_settings *settings, struct buf *out)
{
    static const char openai[] = "/openai";
    append_base(settings->endpoint, out);
    if (has_suffix(out->data, openai))
        out->length -= strlen(openai);
    buf_append_text(out, "/openai/deployments/");
    text_percent_encode(out, settings->model, strlen(settings->model), NULL);
    buf_append_text(out, "/chat/completions");
    append_version(settings, out);
}

static void build_v1(const struct model_settings *settings, bool is_azure, struct buf *out)
{
    static const char *const operations[] = {
        [MODEL_CHAT] = "/chat/completions", [MODEL_RESPONSES] = "/responses"};
    append_base(settings->endpoint, out);
    if (!has_path(out->data))
        buf_append_text(out, is_azure ? "/openai/v1" : "/v1");
    const char *operation = operations[settings->wire];
    if (!has_suffix(out->data, operation)) /* some people name the whole URL */
        buf_append_text(out, operation);
    append_version(settings, out);
}

int model_address_read(const struct model_settings *settings, struct model_address *ret_address,
                       struct error *err)
{
    struct http_url url;
    if (check_settings(settings, err) < 0)
        return -1;
    if (http_url_read(settings->endpoint, &url, err) < 0)
        return error_add_context(err, "the model's endpoint");
    if (check_endpoint(settings, &url, err) < 0)
        return -1;

    struct model_address address = {.is_loopback = url.is_loopback};
    address.is_azure = settings->wire == MODEL_AZURE_CHAT || is_azure_host(url.host);
    AUTO_BUF struct buf out = {0};
    if (settings->wire == MODEL_AZURE_CHAT)
        build_dated(settings, &out);
    else
        build_v1(settings, address.is_azure, &out);
    address.url = buf_take(&out);
    *ret_address = address;
    return 0;
}

void model_address_clear(struct model_address *address)
{
    free(address->url);
    *address = (struct model_address){0};
}
