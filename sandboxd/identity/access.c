#include "sandboxd/identity/access.h"

#include <string.h>
#include <strings.h>

#include "sandboxd/identity/jwt.h"

static const char *const mode_names[] = {
    [ACCESS_NONE] = "none",
    [ACCESS_ANY] = "any",
    [ACCESS_JWT] = "jwt",
};

int access_mode_find(const char *name, enum access_mode *ret_mode, struct error *err)
{
    for (int mode = ACCESS_NONE; mode <= ACCESS_JWT; mode++) {
        if (strcmp(mode_names[mode], name) == 0) {
            *ret_mode = (enum access_mode)mode;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "\"%.40s\" is none of none, any and jwt", name);
}

const char *access_mode_name(enum access_mode mode)
{
    return mode_names[mode];
}

/* RFC 6750, section 2.1. */
static int read_bearer(const char *authorization, const char **ret_token, struct error *err)
{
    static const char scheme[] = "Bearer";
    size_t length = sizeof scheme - 1;
    if (!authorization)
        return error_set(
            err, ERROR_DENIED,
            "the Authorization header is missing; send \"Authorization: Bearer TOKEN\"");
    if (strncasecmp(authorization, scheme, length) != 0 ||
        (authorization[length] && authorization[length] != ' '))
        return error_set(err, ERROR_DENIED,
                         "the Authorization header is not of the form \"Bearer TOKEN\"");
    const char *token = authorization + length;
    token += strspn(token, " ");
    if (!*token)
        return error_set(err, ERROR_DENIED, "the bearer token is empty");
    *ret_token = token;
    return 0;
}

static int forbid(const struct access_request *request, const struct jwt_claims *claims,
                  struct error *err)
{
    const char *principal = *claims->oid ? claims->oid : claims->appid;
    return error_set(
        err, ERROR_DENIED,
        "the principal \"%.64s\" lacks the role \"%s\" (%s) on %.256s, or the token is "
        "for another principal than the one that has it",
        principal, role_title(request->role_id), request->role_id, request->scope);
}

static enum access_outcome check_roles(const struct access_rules *rules,
                                       const struct access_request *request,
                                       const struct jwt_claims *claims, struct error *err)
{
    if (!request->role_id)
        return ACCESS_GRANTED;
    if (roles_allow(rules->roles, *claims->oid ? claims->oid : NULL,
                    *claims->appid ? claims->appid : NULL, request->role_id, request->scope))
        return ACCESS_GRANTED;
    if (!*claims->oid && !*claims->appid)
        error_set(err, ERROR_DENIED,
                  "role assignments are in force and the token names no principal: the role \"%s\" "
                  "(%s) on %.256s needs a JWT with oid or appid",
                  role_title(request->role_id), request->role_id, request->scope);
    else
        forbid(request, claims, err);
    return ACCESS_FORBIDDEN;
}

enum access_outcome access_check(const struct access_rules *rules,
                                 const struct access_request *request, struct error *err)
{
    struct jwt_claims claims = {0};
    const char *token = "";
    if (rules->mode == ACCESS_NONE)
        return ACCESS_GRANTED;
    if (read_bearer(request->authorization, &token, err) < 0)
        return ACCESS_UNAUTHENTICATED;

    size_t length = strlen(token);
    if (rules->mode == ACCESS_JWT) {
        struct error why;
        if (jwt_verify(rules->issuer, token, length, rules->now_s, &claims, &why) < 0) {
            error_set(err, why.code,
                      "%s; \"sandboxd token\" and the managed identity endpoint that \"sandboxd "
                      "env\" names give tokens that pass here",
                      why.message);
            return ACCESS_UNAUTHENTICATED;
        }
        if (jwt_check_audience(&claims, request->audiences, err) < 0)
            return ACCESS_UNAUTHENTICATED;
    } else if (rules->roles->enabled) {
        /* What is no JWT names nobody, which the roles will say. */
        struct error ignored;
        if (jwt_read_unverified(token, length, &claims, &ignored) < 0)
            claims = (struct jwt_claims){0};
    }
    return check_roles(rules, request, &claims, err);
}
