#include "sandboxd/api/tokens.h"

#include <string.h>
#include <time.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/writer.h"
#include "sandboxd/api/auth.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/front.h"
#include "sandboxd/identity/grant.h"

enum {
    FORM_BYTES_MAX = 64 * 1024, /* an assertion has some 2 KiB */
    ANSWER_BYTES_MAX = 64 * 1024,
};

static const unsigned outcome_statuses[] = {
    [GRANT_ISSUED] = 200,
    [GRANT_REFUSED] = 400,
    [GRANT_UNAUTHORIZED] = 401,
    [GRANT_FAILED] = 500,
};

/* A token must not stay in anybody's cache (RFC 6749, section 5.1). */
static void respond(struct exchange *exchange, enum grant_outcome outcome, struct buf *body)
{
    struct http_response response = {.status = outcome_statuses[outcome],
                                     .body_length = body->length};
    response.body = buf_take(body);
    http_response_add(&response, "Content-Type", "application/json; charset=utf-8");
    http_response_add(&response, "Cache-Control", "no-store");
    if (outcome == GRANT_UNAUTHORIZED)
        http_response_add(&response, "WWW-Authenticate", "Bearer");
    exchange_respond(exchange, &response);
}

static void refuse(struct exchange *exchange, enum grant_outcome outcome, const char *error,
                   const char *description)
{
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    grant_write_error(error, description, &body);
    respond(exchange, outcome, &body);
}

static struct grant grant_of(const struct exchange *exchange)
{
    return (struct grant){
        .issuer = exchange->front->identity->issuer,
        .host = http_request_header(exchange->request, "Host"),
        .now_s = time(NULL),
    };
}

/* ---- managed identities ---- */

/* False when this daemon has no keys; the exchange has then been answered. */
static bool has_identity(struct exchange *exchange)
{
    if (exchange->front->identity)
        return true;
    exchange_fail(exchange, SERVICE_RESOURCE_NOT_FOUND, NULL, "this daemon issues no tokens");
    return false;
}

/* Where tokens are what keeps others out, those who are not on this machine must know something
 * that others cannot. False after having answered. */
static bool may_have_any(struct exchange *exchange, const char *secret)
{
    const struct front *front = exchange->front;
    if (front->auth != ACCESS_JWT || http_request_is_local(exchange->request) ||
        secret_matches(front->identity->header, secret))
        return true;
    refuse(exchange, GRANT_UNAUTHORIZED, "invalid_client",
           "with --auth jwt another machine gets no token without a secret: send the value of "
           "IDENTITY_HEADER that sandboxd env prints, as client_secret, or as X-IDENTITY-HEADER to "
           "the managed identity endpoint");
    return false;
}

static void issue_to_identity(struct exchange *exchange, bool with_times)
{
    const struct http_target *target = &exchange->target;
    const char *object_id = http_target_parameter(target, "object_id");
    const char *resource_id = http_target_parameter(target, "mi_res_id");
    struct grant grant = grant_of(exchange);
    struct grant_identity_request request = {
        .resource = http_target_parameter(target, "resource"),
        .client_id = http_target_parameter(target, "client_id"),
        .object_id = object_id ? object_id : http_target_parameter(target, "principal_id"),
        .resource_id = resource_id ? resource_id : http_target_parameter(target, "msi_res_id"),
        .with_times = with_times,
    };
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    enum grant_outcome outcome = grant_to_identity(&grant, &request, &body);
    respond(exchange, outcome, &body);
}

void token_for_identity(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    const char *secret = http_request_header(exchange->request, "X-IDENTITY-HEADER");
    if (!secret_matches(exchange->front->identity->header, secret)) {
        refuse(
            exchange, GRANT_UNAUTHORIZED, "unauthorized",
            "the header X-IDENTITY-HEADER is missing or is not the value of IDENTITY_HEADER that "
            "sandboxd env prints");
        return;
    }
    issue_to_identity(exchange, false);
}

void token_for_machine(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    const char *metadata = http_request_header(exchange->request, "Metadata");
    if (!metadata || !text_equal_ignoring_case(metadata, "true")) {
        refuse(exchange, GRANT_REFUSED, "invalid_request",
               "the header \"Metadata: true\" is missing");
        return;
    }
    if (may_have_any(exchange, NULL))
        issue_to_identity(exchange, true);
}

/* ---- client credentials ---- */

/* A form is a query in which a space may be a plus sign. */
static int parse_form(const struct buf *body, struct http_target *ret_form, struct error *err)
{
    AUTO_BUF struct buf query = {.limit = FORM_BYTES_MAX + 2};
    if (body->length > FORM_BYTES_MAX || !buf_append_text(&query, "/?") ||
        !buf_append(&query, body->data, body->length))
        return error_set(err, ERROR_LIMIT, "the form is larger than %d bytes", FORM_BYTES_MAX);
    for (size_t i = 0; i < query.length; i++) {
        if (query.data[i] == '+')
            query.data[i] = ' ';
    }
    return http_target_parse(query.data, query.length, ret_form, err);
}

void token_for_client(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    struct http_target form = {0};
    struct error err = {0};
    if (parse_form(&exchange->body, &form, &err) < 0) {
        refuse(exchange, GRANT_REFUSED, "invalid_request", err.message);
        return;
    }
    struct grant grant = grant_of(exchange);
    struct grant_client_request request = {
        .tenant = exchange->target.segments[0],
        .grant_type = http_target_parameter(&form, "grant_type"),
        .scope = http_target_parameter(&form, "scope"),
        .client_id = http_target_parameter(&form, "client_id"),
        .client_secret = http_target_parameter(&form, "client_secret"),
        .client_assertion = http_target_parameter(&form, "client_assertion"),
    };
    if (may_have_any(exchange, request.client_secret)) {
        AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
        enum grant_outcome outcome = grant_to_client(&grant, &request, &body);
        respond(exchange, outcome, &body);
    }
    http_target_clear(&form);
}

/* ---- the authority ---- */

static void write_url(struct writer *writer, const char *key, const char *origin,
                      const char *tenant, const char *path)
{
    AUTO_FREE char *url = xasprintf("%s/%s%s", origin, tenant, path);
    writer_string(writer, key, url);
}

static void finish(struct exchange *exchange, struct writer *writer, struct buf *body)
{
    struct error err = {0};
    if (writer_finish(writer, &err) < 0) {
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
        return;
    }
    exchange_respond_json(exchange, 200, body);
}

static void write_array_of(struct writer *writer, const char *key, const char *value)
{
    writer_open_array(writer, key);
    writer_string(writer, NULL, value);
    writer_close_array(writer);
}

void authority_show(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    char origin[AUTH_ORIGIN_MAX];
    const char *tenant = exchange->target.segments[0];
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    auth_write_origin(exchange, origin);
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    write_url(&writer, "issuer", origin, tenant, "/v2.0");
    write_url(&writer, "token_endpoint", origin, tenant, "/oauth2/v2.0/token");
    write_url(&writer, "authorization_endpoint", origin, tenant, "/oauth2/v2.0/authorize");
    write_url(&writer, "end_session_endpoint", origin, tenant, "/oauth2/v2.0/logout");
    write_url(&writer, "jwks_uri", origin, tenant, "/discovery/v2.0/keys");
    write_array_of(&writer, "response_types_supported", "token");
    write_array_of(&writer, "subject_types_supported", "pairwise");
    write_array_of(&writer, "id_token_signing_alg_values_supported", "RS256");
    write_array_of(&writer, "token_endpoint_auth_methods_supported", "client_secret_post");
    writer_close_object(&writer);
    finish(exchange, &writer, &body);
}

void authority_show_keys(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    struct error err = {0};
    if (issuer_write_jwks(exchange->front->identity->issuer, &body, &err) < 0) {
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "%s", err.message);
        return;
    }
    exchange_respond_json(exchange, 200, &body);
}

/* Whatever host is asked about, it is this one. */
void authority_show_instance(struct exchange *exchange)
{
    if (!has_identity(exchange))
        return;
    char origin[AUTH_ORIGIN_MAX];
    const char *host = http_request_header(exchange->request, "Host");
    AUTO_BUF struct buf body = {.limit = ANSWER_BYTES_MAX};
    auth_write_origin(exchange, origin);
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    write_url(&writer, "tenant_discovery_endpoint", origin, "common",
              "/v2.0/.well-known/openid-configuration");
    writer_string(&writer, "api-version", "1.1");
    writer_open_array(&writer, "metadata");
    writer_open_object(&writer, NULL);
    writer_string(&writer, "preferred_network", host);
    writer_string(&writer, "preferred_cache", host);
    write_array_of(&writer, "aliases", host);
    writer_close_object(&writer);
    writer_close_array(&writer);
    writer_close_object(&writer);
    finish(exchange, &writer, &body);
}
