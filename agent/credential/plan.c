#include "agent/credential/plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/core/variable.h"
#include "base/http/http_client.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    /* Where there is no metadata service, packets to its address go nowhere. */
    METADATA_CONNECT_TIMEOUT_MS = 500,
    ANSWER_TIMEOUT_MS = 30000,
    PROGRAM_TIMEOUT_MS = 10000, /* azure_cli.py's own */
    FEDERATED_TOKEN_BYTES_MAX = 64 * 1024,
};

const char *token_source_name(enum token_source source)
{
    static const char *const names[] = {
        [TOKEN_SECRET] = "environment (client secret)",
        [TOKEN_WORKLOAD] = "workload identity",
        [TOKEN_MANAGED] = "managed identity",
        [TOKEN_VIRTUAL_MACHINE] = "virtual machine's identity (IMDS)",
        [TOKEN_AZURE_CLI] = "Azure CLI",
        [TOKEN_DEVELOPER_CLI] = "Azure Developer CLI",
    };
    return names[source];
}

bool token_source_is_given(enum token_source source)
{
    switch (source) {
    case TOKEN_SECRET:
        return variable_get("AZURE_CLIENT_SECRET");
    case TOKEN_WORKLOAD:
        return variable_get("AZURE_FEDERATED_TOKEN_FILE");
    case TOKEN_MANAGED:
        return variable_get("IDENTITY_ENDPOINT");
    default:
        return false;
    }
}

/* The first variable that is not set, as an error. */
static int require(const char *const *names, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!variable_get(names[i]))
            return error_set(err, ERROR_MISSING, "%s is not set", names[i]);
    }
    return 0;
}

/* A secret goes only over TLS, or stays on this machine. */
static int check_url(const char *name, const char *url, struct error *err)
{
    struct http_url parts;
    if (http_url_read(url, &parts, err) < 0)
        return error_add_context(err, "%s", name);
    if (!parts.is_https && !parts.is_loopback)
        return error_set(err, ERROR_INVALID, "%s must be https, or on this machine", name);
    return 0;
}

static void add_field(struct buf *form, const char *name, const char *value)
{
    buf_printf(form, "%s%s=", form->length ? "&" : "", name);
    text_percent_encode(form, value, strlen(value), "");
}

/* The same as a parameter of a URL that may have some already. */
static void add_parameter(struct buf *url, const char *name, const char *value)
{
    buf_append_text(url, memchr(url->data, '?', url->length) ? "&" : "?");
    buf_printf(url, "%s=", name);
    text_percent_encode(url, value, strlen(value), "");
}

/* "https://dynamicsessions.io/.default" is of the resource "https://dynamicsessions.io". */
static char *resource_of(const char *scope)
{
    static const char suffix[] = "/.default";
    size_t length = strlen(scope), tail = strlen(suffix);
    if (length > tail && strcmp(scope + length - tail, suffix) == 0)
        length -= tail;
    return xstrndup(scope, length);
}

static int make_oauth(struct token_plan *plan, const char *scope, struct error *err)
{
    const char *host = variable_get("AZURE_AUTHORITY_HOST");
    host = host ? host : "https://login.microsoftonline.com";
    if (check_url("AZURE_AUTHORITY_HOST", host, err) < 0)
        return -1;
    size_t length = strlen(host);
    AUTO_BUF struct buf url = {0};
    buf_append(&url, host, host[length - 1] == '/' ? length - 1 : length);
    buf_append_text(&url, "/");
    const char *tenant = variable_get("AZURE_TENANT_ID");
    text_percent_encode(&url, tenant, strlen(tenant), "");
    buf_append_text(&url, "/oauth2/v2.0/token");
    plan->url = buf_take(&url);
    add_field(&plan->body, "grant_type", "client_credentials");
    add_field(&plan->body, "client_id", variable_get("AZURE_CLIENT_ID"));
    add_field(&plan->body, "scope", scope);
    return 0;
}

static int make_secret(struct token_plan *plan, const char *scope, struct error *err)
{
    static const char *const names[] = {"AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID",
                                        "AZURE_TENANT_ID"};
    if (require(names, sizeof names / sizeof *names, err) < 0 || make_oauth(plan, scope, err) < 0)
        return -1;
    add_field(&plan->body, "client_secret", variable_get("AZURE_CLIENT_SECRET"));
    return 0;
}

/* Read each time: it is renewed behind our back. */
static int make_workload(struct token_plan *plan, const char *scope, struct error *err)
{
    static const char *const names[] = {"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID",
                                        "AZURE_TENANT_ID"};
    if (require(names, sizeof names / sizeof *names, err) < 0)
        return -1;
    const char *path = variable_get("AZURE_FEDERATED_TOKEN_FILE");
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "AZURE_FEDERATED_TOKEN_FILE %.200s", path);
    size_t length = 0;
    AUTO_FREE char *assertion = text_read_all(fd, FEDERATED_TOKEN_BYTES_MAX, &length, err);
    if (!assertion)
        return error_add_context(err, "AZURE_FEDERATED_TOKEN_FILE");
    assertion[strcspn(assertion, "\r\n")] = '\0';
    if (make_oauth(plan, scope, err) == 0) {
        add_field(&plan->body, "client_assertion_type",
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        add_field(&plan->body, "client_assertion", assertion);
    }
    explicit_bzero(assertion, length);
    return plan->url ? 0 : -1;
}

/* Both kinds take the resource and, for one of several identities, its client id. */
static char *managed_url(const char *base, const char *version, const char *scope)
{
    AUTO_FREE char *resource = resource_of(scope);
    const char *client = variable_get("AZURE_CLIENT_ID");
    struct buf url = {0};
    buf_append_text(&url, base);
    add_parameter(&url, "api-version", version);
    add_parameter(&url, "resource", resource);
    if (client)
        add_parameter(&url, "client_id", client);
    return buf_take(&url);
}

static int make_managed(struct token_plan *plan, const char *scope, struct error *err)
{
    static const char *const names[] = {"IDENTITY_ENDPOINT", "IDENTITY_HEADER"};
    if (require(names, sizeof names / sizeof *names, err) < 0)
        return -1;
    const char *header = variable_get("IDENTITY_HEADER");
    if (header[strcspn(header, "\r\n")])
        return error_set(err, ERROR_INVALID, "IDENTITY_HEADER holds a line end");
    plan->url = managed_url(variable_get("IDENTITY_ENDPOINT"), "2019-08-01", scope);
    plan->header = xasprintf("X-IDENTITY-HEADER: %s", header);
    return 0;
}

static int make_virtual_machine(struct token_plan *plan, const char *scope, struct error *err)
{
    (void)err;
    const char *host = variable_get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    AUTO_FREE char *base =
        xasprintf("%s/metadata/identity/oauth2/token", host ? host : "http://169.254.169.254");
    plan->url = managed_url(base, "2018-02-01", scope);
    plan->header = xstrdup("Metadata: true");
    plan->connect_timeout_ms = METADATA_CONNECT_TIMEOUT_MS;
    return 0;
}

static void set_arguments(struct token_plan *plan, const char *const *arguments, size_t count)
{
    memcpy(plan->arguments, arguments, count * sizeof *arguments);
    plan->total_timeout_ms = PROGRAM_TIMEOUT_MS;
}

static int make_azure_cli(struct token_plan *plan, const char *scope, struct error *err)
{
    (void)err;
    plan->texts[0] = resource_of(scope);
    const char *tenant = variable_get("AZURE_TENANT_ID");
    const char *arguments[] = {"az",   "account",    "get-access-token", "--output",
                               "json", "--resource", plan->texts[0],     tenant ? "--tenant" : NULL,
                               tenant};
    set_arguments(plan, arguments, sizeof arguments / sizeof *arguments);
    return 0;
}

static int make_developer_cli(struct token_plan *plan, const char *scope, struct error *err)
{
    (void)err;
    plan->texts[0] = xstrdup(scope);
    const char *arguments[] = {"azd",  "auth",    "token",       "--output",
                               "json", "--scope", plan->texts[0]};
    set_arguments(plan, arguments, sizeof arguments / sizeof *arguments);
    return 0;
}

int token_plan_make(enum token_source source, const char *scope, struct token_plan *ret_plan,
                    struct error *err)
{
    static int (*const makers[])(struct token_plan *, const char *, struct error *) = {
        [TOKEN_SECRET] = make_secret,       [TOKEN_WORKLOAD] = make_workload,
        [TOKEN_MANAGED] = make_managed,     [TOKEN_VIRTUAL_MACHINE] = make_virtual_machine,
        [TOKEN_AZURE_CLI] = make_azure_cli, [TOKEN_DEVELOPER_CLI] = make_developer_cli,
    };
    struct token_plan plan = {.connect_timeout_ms = CONNECT_TIMEOUT_MS,
                              .total_timeout_ms = ANSWER_TIMEOUT_MS};
    if (makers[source](&plan, scope, err) < 0) {
        token_plan_clear(&plan);
        return -1;
    }
    *ret_plan = plan;
    return 0;
}

void token_plan_clear(struct token_plan *plan)
{
    if (plan->body.data)
        explicit_bzero(plan->body.data, plan->body.length);
    buf_free(&plan->body);
    free(plan->url);
    free(plan->header);
    for (size_t i = 0; i < sizeof plan->texts / sizeof *plan->texts; i++)
        free(plan->texts[i]);
    *plan = (struct token_plan){0};
}
