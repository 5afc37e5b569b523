#include "sandboxd/identity/jwt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/json.h"
#include "base/json/writer.h"

static const char no_jwt[] = "the token is no JWT";

/* ---- parts ---- */

struct parts {
    const char *header, *payload, *signature;
    size_t header_length, payload_length, signature_length;
    size_t signed_length; /* header, dot and payload */
};

static int split(const char *token, size_t length, struct parts *ret_parts, struct error *err)
{
    if (length > JWT_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "the token is longer than %d bytes", JWT_BYTES_MAX);
    const char *first = memchr(token, '.', length);
    const char *second =
        first ? memchr(first + 1, '.', length - (size_t)(first + 1 - token)) : NULL;
    size_t rest = second ? length - (size_t)(second + 1 - token) : 0;
    if (!second || memchr(second + 1, '.', rest))
        return error_set(err, ERROR_INVALID, "%s: it does not have three parts", no_jwt);
    *ret_parts = (struct parts){
        .header = token,
        .header_length = (size_t)(first - token),
        .payload = first + 1,
        .payload_length = (size_t)(second - first - 1),
        .signature = second + 1,
        .signature_length = rest,
        .signed_length = (size_t)(second - token),
    };
    return 0;
}

static int read_object(const char *name, const char *text, size_t length, json_t **ret_object,
                       struct error *err)
{
    AUTO_BUF struct buf decoded = {.limit = JWT_BYTES_MAX};
    if (!base64url_decode(text, length, &decoded))
        return error_set(err, ERROR_INVALID, "%s: its %s is not base64url", no_jwt, name);
    if (json_parse(decoded.data ? decoded.data : "", decoded.length, JWT_BYTES_MAX, ret_object,
                   err) < 0)
        return error_add_context(err, "%s: its %s", no_jwt, name);
    if (!json_is_object(*ret_object))
        return error_set(err, ERROR_INVALID, "%s: its %s is not an object", no_jwt, name);
    return 0;
}

/* ---- claims ---- */

static int read_text(json_t *payload, const char *key, char ret_text[JWT_CLAIM_BYTES_MAX],
                     struct error *err)
{
    const char *value = NULL;
    if (json_get_text_optional(payload, "the token", key, &value, err) < 0)
        return -1;
    if (!value)
        return 0;
    size_t size = strlen(value) + 1;
    if (size > JWT_CLAIM_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "the token.%s: is longer than %d bytes", key,
                         JWT_CLAIM_BYTES_MAX - 1);
    memcpy(ret_text, value, size);
    return 0;
}

static int read_claims(json_t *payload, struct jwt_claims *claims, struct error *err)
{
    static const char path[] = "the token";
    if (read_text(payload, "aud", claims->aud, err) < 0 ||
        read_text(payload, "oid", claims->oid, err) < 0 ||
        read_text(payload, "azp", claims->appid, err) < 0 ||
        read_text(payload, "appid", claims->appid, err) < 0 ||
        read_text(payload, "sub", claims->sub, err) < 0 ||
        read_text(payload, "tid", claims->tid, err) < 0)
        return -1;
    if (json_get_integer_optional(payload, path, "nbf", 0, JSON_INTEGER_MAX, &claims->not_before_s,
                                  err) < 0)
        return -1;
    return json_get_integer_optional(payload, path, "exp", 0, JSON_INTEGER_MAX, &claims->expires_s,
                                     err);
}

int jwt_read_unverified(const char *token, size_t length, struct jwt_claims *ret_claims,
                        struct error *err)
{
    struct parts parts = {0};
    struct jwt_claims claims = {0};
    AUTO_JSON json_t *payload = NULL;
    if (split(token, length, &parts, err) < 0 ||
        read_object("payload", parts.payload, parts.payload_length, &payload, err) < 0 ||
        read_claims(payload, &claims, err) < 0)
        return -1;
    *ret_claims = claims;
    return 0;
}

/* ---- verifying ---- */

/* The header says which check the sender would like; only one is done, whatever it says. */
static int check_header(const struct issuer *issuer, json_t *header, struct error *err)
{
    const char *algorithm = "", *key_id = "";
    if (json_get_text_optional(header, "the token's header", "alg", &algorithm, err) < 0 ||
        json_get_text_optional(header, "the token's header", "kid", &key_id, err) < 0)
        return -1;
    if (strcmp(algorithm, "RS256") != 0)
        return error_set(err, ERROR_DENIED,
                         "the token is signed with \"%.32s\"; only RS256 is accepted", algorithm);
    if (strcmp(key_id, issuer_key_id(issuer)) != 0)
        return error_set(
            err, ERROR_DENIED,
            "the token was not issued by this daemon, or before its key was made anew: "
            "its kid is another");
    return 0;
}

static int check_signature(const struct issuer *issuer, const char *token,
                           const struct parts *parts, struct error *err)
{
    AUTO_BUF struct buf signature = {.limit = JWT_BYTES_MAX};
    if (!base64url_decode(parts->signature, parts->signature_length, &signature) ||
        !issuer_verify(issuer, token, parts->signed_length, signature.data, signature.length))
        return error_set(err, ERROR_DENIED, "the token's signature is wrong");
    return 0;
}

static int check_issuer(json_t *payload, struct error *err)
{
    const char *name = "";
    if (json_get_text_optional(payload, "the token", "iss", &name, err) < 0)
        return -1;
    if (strcmp(name, JWT_ISSUER) != 0)
        return error_set(err, ERROR_DENIED, "the token's issuer is \"%.128s\", not %s", name,
                         JWT_ISSUER);
    return 0;
}

static int check_times(const struct jwt_claims *claims, int64_t now_s, struct error *err)
{
    char text[TEXT_TIME_MAX];
    if (claims->expires_s == 0)
        return error_set(err, ERROR_DENIED, "the token has no exp");
    if (claims->expires_s + JWT_SKEW_S <= now_s) {
        text_format_time(claims->expires_s, 0, text);
        return error_set(err, ERROR_DENIED, "the token expired at %s", text);
    }
    if (claims->not_before_s - JWT_SKEW_S > now_s) {
        text_format_time(claims->not_before_s, 0, text);
        return error_set(err, ERROR_DENIED, "the token is valid only from %s on", text);
    }
    return 0;
}

int jwt_verify(const struct issuer *issuer, const char *token, size_t length, int64_t now_s,
               struct jwt_claims *ret_claims, struct error *err)
{
    struct parts parts = {0};
    struct jwt_claims claims = {0};
    AUTO_JSON json_t *header = NULL;
    AUTO_JSON json_t *payload = NULL;
    if (split(token, length, &parts, err) < 0 ||
        read_object("header", parts.header, parts.header_length, &header, err) < 0 ||
        check_header(issuer, header, err) < 0 || check_signature(issuer, token, &parts, err) < 0)
        return -1;

    /* Nothing of the payload is looked at before its signature was found right. */
    if (read_object("payload", parts.payload, parts.payload_length, &payload, err) < 0 ||
        read_claims(payload, &claims, err) < 0 || check_issuer(payload, err) < 0 ||
        check_times(&claims, now_s, err) < 0)
        return -1;
    *ret_claims = claims;
    return 0;
}

static size_t audience_length(const char *audience)
{
    size_t length = strlen(audience);
    return length > 0 && audience[length - 1] == '/' ? length - 1 : length;
}

int jwt_check_audience(const struct jwt_claims *claims, const char *const *accepted,
                       struct error *err)
{
    AUTO_BUF struct buf list = {.limit = ERROR_MESSAGE_MAX};
    size_t length = audience_length(claims->aud);
    for (size_t i = 0; accepted[i]; i++) {
        if (length > 0 && length == audience_length(accepted[i]) &&
            strncasecmp(claims->aud, accepted[i], length) == 0)
            return 0;
        buf_printf(&list, "%s%s", i ? ", " : "", accepted[i]);
    }
    return error_set(err, ERROR_DENIED,
                     "the token is for the audience \"%.128s\"; accepted here are %s", claims->aud,
                     list.length ? list.data : "none");
}

/* ---- signing ---- */

static int write_claims(const struct jwt_claims *claims, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "aud", claims->aud);
    writer_string(&writer, "iss", JWT_ISSUER);
    writer_integer(&writer, "iat", claims->not_before_s);
    writer_integer(&writer, "nbf", claims->not_before_s);
    writer_integer(&writer, "exp", claims->expires_s);
    writer_string(&writer, "appid", claims->appid);
    writer_string(&writer, "idtyp", "app");
    writer_string(&writer, "oid", claims->oid);
    writer_string(&writer, "sub", claims->sub);
    writer_string(&writer, "tid", claims->tid);
    writer_string(&writer, "ver", "1.0");
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

static int write_signed(const struct issuer *issuer, const struct jwt_claims *claims,
                        struct buf *out, struct error *err)
{
    AUTO_BUF struct buf header = {.limit = JWT_BYTES_MAX};
    AUTO_BUF struct buf payload = {.limit = JWT_BYTES_MAX};
    AUTO_BUF struct buf signature = {.limit = JWT_BYTES_MAX};
    buf_printf(&header, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%s\"}",
               issuer_key_id(issuer));
    if (write_claims(claims, &payload, err) < 0)
        return -1;
    if (!base64url_encode(header.data, header.length, out) || !buf_append_text(out, ".") ||
        !base64url_encode(payload.data, payload.length, out))
        return error_set(err, ERROR_LIMIT, "the token is longer than %d bytes", JWT_BYTES_MAX);
    if (issuer_sign(issuer, out->data, out->length, &signature, err) < 0)
        return -1;
    if (!buf_append_text(out, ".") || !base64url_encode(signature.data, signature.length, out))
        return error_set(err, ERROR_LIMIT, "the token is longer than %d bytes", JWT_BYTES_MAX);
    return 0;
}

int jwt_sign(const struct issuer *issuer, const struct jwt_claims *claims, struct buf *out,
             struct error *err)
{
    AUTO_BUF struct buf token = {.limit = JWT_BYTES_MAX};
    if (write_signed(issuer, claims, &token, err) < 0)
        return -1;
    if (!buf_append(out, token.data, token.length))
        return error_set(err, ERROR_LIMIT, "the token does not fit");
    return 0;
}
