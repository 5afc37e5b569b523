#include "sandboxd/identity/grant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"
#include "base/json/writer.h"
#include "sandboxd/identity/audience.h"
#include "sandboxd/identity/jwt.h"
#include "sandboxd/identity/subject.h"

enum { NUMBER_TEXT_MAX = 24, SCOPE_WORD_MAX = JWT_CLAIM_BYTES_MAX };

static const char issued_for[] =
    "tokens are issued for https://dynamicsessions.io, https://acasessions.io, "
    "https://management.azure.com, https://management.core.windows.net and the daemon's own origin";

void grant_write_error(const char *error, const char *description, struct buf *body)
{
    struct error ignored;
    struct writer writer = writer_begin(body, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "error", error);
    writer_string(&writer, "error_description", description);
    writer_close_object(&writer);
    writer_finish(&writer, &ignored);
}

static enum grant_outcome refuse(struct buf *body, const char *error, const char *description)
{
    grant_write_error(error, description, body);
    return GRANT_REFUSED;
}

/* ---- the token ---- */

struct issued {
    struct jwt_claims claims;
    struct buf token;
};

static enum grant_outcome issue(const struct grant *grant, const struct subject *subject,
                                const char *audience, int64_t lifetime_s, struct issued *issued,
                                struct buf *body)
{
    struct error err = {0};
    if (subject_fill_claims(subject, audience, grant->now_s, lifetime_s, &issued->claims, &err) < 0)
        return refuse(body, "invalid_request", err.message);
    if (jwt_sign(grant->issuer, &issued->claims, &issued->token, &err) < 0) {
        grant_write_error("server_error", err.message, body);
        return GRANT_FAILED;
    }
    return GRANT_ISSUED;
}

/* ---- managed identities ---- */

static void write_number_text(struct writer *writer, const char *key, int64_t value)
{
    char text[NUMBER_TEXT_MAX];
    snprintf(text, sizeof text, "%" PRId64, value);
    writer_string(writer, key, text);
}

/* Azure's two endpoints write numbers as strings. */
static void write_identity_answer(const struct grant_identity_request *request,
                                  const struct issued *issued, struct buf *body)
{
    struct error ignored;
    struct writer writer = writer_begin(body, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "access_token", issued->token.data);
    write_number_text(&writer, "expires_on", issued->claims.expires_s);
    writer_string(&writer, "resource", request->resource);
    writer_string(&writer, "token_type", "Bearer");
    writer_string(&writer, "client_id", issued->claims.appid);
    if (request->with_times) {
        int64_t lifetime_s = issued->claims.expires_s - issued->claims.not_before_s;
        write_number_text(&writer, "expires_in", lifetime_s);
        write_number_text(&writer, "ext_expires_in", lifetime_s);
        write_number_text(&writer, "not_before", issued->claims.not_before_s);
    }
    writer_close_object(&writer);
    writer_finish(&writer, &ignored);
}

enum grant_outcome grant_to_identity(const struct grant *grant,
                                     const struct grant_identity_request *request, struct buf *body)
{
    struct issued issued = {.token.limit = JWT_BYTES_MAX};
    struct subject subject = {
        .client_id = request->client_id,
        .object_id = request->object_id,
        .resource_id = request->resource_id,
    };
    if (!request->resource || !*request->resource)
        return refuse(body, "invalid_request", "the query parameter resource is missing");
    if (!audience_is_issued(request->resource, grant->host))
        return refuse(body, "invalid_resource", issued_for);

    enum grant_outcome outcome =
        issue(grant, &subject, request->resource, GRANT_IDENTITY_LIFETIME_S, &issued, body);
    if (outcome == GRANT_ISSUED)
        write_identity_answer(request, &issued, body);
    buf_free(&issued.token);
    return outcome;
}

/* ---- client credentials ---- */

/* "RESOURCE/.default" gives RESOURCE. OpenID's own words may stand beside it. */
static bool read_scope(const char *scope, char ret_resource[SCOPE_WORD_MAX])
{
    static const char suffix[] = "/.default";
    static const char *const ignored[] = {"openid", "profile", "offline_access"};
    bool found = false;
    while (*(scope += strspn(scope, " "))) {
        char word[SCOPE_WORD_MAX];
        size_t length = strcspn(scope, " ");
        if (length >= sizeof word)
            return false;
        memcpy(word, scope, length);
        word[length] = '\0';
        scope += length;

        bool skip = false;
        for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
            skip = skip || strcmp(word, ignored[i]) == 0;
        if (skip)
            continue;
        if (found || length < sizeof suffix || strcmp(word + length - strlen(suffix), suffix) != 0)
            return false;
        memcpy(ret_resource, word, length - strlen(suffix));
        ret_resource[length - strlen(suffix)] = '\0';
        found = true;
    }
    return found;
}

static bool is_given(const char *text)
{
    return text && *text;
}

static enum grant_outcome check_client(const struct grant_client_request *request, struct buf *body)
{
    if (!is_given(request->grant_type) || strcmp(request->grant_type, "client_credentials") != 0)
        return refuse(body, "unsupported_grant_type",
                      "the only grant_type here is client_credentials");
    if (!is_given(request->client_id))
        return refuse(body, "invalid_request", "client_id is missing");
    if (!is_given(request->client_secret) && !is_given(request->client_assertion)) {
        grant_write_error("invalid_client", "client_secret or client_assertion is missing", body);
        return GRANT_UNAUTHORIZED;
    }
    return GRANT_ISSUED;
}

static void write_client_answer(const struct issued *issued, struct buf *body)
{
    struct error ignored;
    struct writer writer = writer_begin(body, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "token_type", "Bearer");
    writer_integer(&writer, "expires_in", GRANT_CLIENT_LIFETIME_S);
    writer_integer(&writer, "ext_expires_in", GRANT_CLIENT_LIFETIME_S);
    writer_string(&writer, "access_token", issued->token.data);
    writer_close_object(&writer);
    writer_finish(&writer, &ignored);
}

enum grant_outcome grant_to_client(const struct grant *grant,
                                   const struct grant_client_request *request, struct buf *body)
{
    char resource[SCOPE_WORD_MAX];
    struct issued issued = {.token.limit = JWT_BYTES_MAX};
    struct subject subject = {.client_id = request->client_id, .tenant = request->tenant};
    enum grant_outcome outcome = check_client(request, body);
    if (outcome != GRANT_ISSUED)
        return outcome;
    if (!request->scope || !read_scope(request->scope, resource))
        return refuse(body, "invalid_scope",
                      "scope must be one resource with /.default behind it, like "
                      "https://dynamicsessions.io/.default");
    if (!audience_is_issued(resource, grant->host))
        return refuse(body, "invalid_resource", issued_for);

    outcome = issue(grant, &subject, resource, GRANT_CLIENT_LIFETIME_S, &issued, body);
    if (outcome == GRANT_ISSUED)
        write_client_answer(&issued, body);
    buf_free(&issued.token);
    return outcome;
}
