#include "sandboxd/identity/access.h"

#include "sandboxd/identity/jwt.h"
#include "tests/support/state_directory.h"

#define ALICE "aaaaaaaa-0000-0000-0000-000000000001"
#define BOB   "bbbbbbbb-0000-0000-0000-000000000002"
#define POOL  "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/sessionPools/p"

static const int64_t now_s = 1767225600;
static const char *const audiences[] = {"https://dynamicsessions.io", NULL};
static struct issuer *issuer;
static void *directory;

static int open_issuer(void **state)
{
    struct error err = {0};
    (void)state;
    if (state_directory_open(&directory) < 0)
        return -1;
    return issuer_open(((struct state_directory *)directory)->fd, true, &issuer, &err);
}

static int close_issuer(void **state)
{
    (void)state;
    issuer_destroy(issuer);
    return state_directory_close(&directory);
}

/* "Bearer ..." by our issuer. */
static char *authorization_of(const char *oid, const char *audience)
{
    struct jwt_claims claims = {.expires_s = now_s + 60, .not_before_s = now_s};
    AUTO_BUF struct buf token = {0};
    struct error err = {0};
    snprintf(claims.oid, sizeof claims.oid, "%s", oid);
    snprintf(claims.aud, sizeof claims.aud, "%s", audience);
    assert_int_equal(jwt_sign(issuer, &claims, &token, &err), 0);
    return xasprintf("Bearer %s", token.data);
}

static enum access_outcome check(enum access_mode mode, const struct roles *roles,
                                 const char *authorization, struct error *err)
{
    struct access_rules rules = {.mode = mode, .issuer = issuer, .roles = roles, .now_s = now_s};
    struct access_request request = {
        .authorization = authorization,
        .audiences = audiences,
        .role_id = ROLE_SESSION_EXECUTOR,
        .scope = POOL,
    };
    return access_check(&rules, &request, err);
}

static void each_mode_asks_for_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *authorization;
        enum access_outcome none, any, jwt;
        const char *problem;
    } cases[] = {
        {NULL, ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "is missing"},
        {"", ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "not of the form"},
        {"Bearer", ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "empty"},
        {"Bearer  ", ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "empty"},
        {"Basic YTpi", ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "form"},
        {"Bearerlocal", ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, ACCESS_UNAUTHENTICATED, "form"},
        {"Bearer local", ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, "sandboxd token"},
        {"bEARER  local", ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_UNAUTHENTICATED, "no JWT"},
    };
    struct roles roles = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        assert_int_equal(check(ACCESS_NONE, &roles, cases[i].authorization, &err), cases[i].none);
        assert_int_equal(check(ACCESS_ANY, &roles, cases[i].authorization, &err), cases[i].any);
        assert_int_equal(check(ACCESS_JWT, &roles, cases[i].authorization, &err), cases[i].jwt);
        assert_non_null(strstr(err.message, cases[i].problem));
    }
}

static void a_token_for_something_else_names_both_audiences(void **state)
{
    (void)state;
    struct roles roles = {0};
    struct error err = {0};
    AUTO_FREE char *right = authorization_of(ALICE, "https://dynamicsessions.io/");
    AUTO_FREE char *wrong = authorization_of(ALICE, "https://graph.microsoft.com");
    assert_int_equal(check(ACCESS_JWT, &roles, right, &err), ACCESS_GRANTED);
    assert_int_equal(check(ACCESS_JWT, &roles, wrong, &err), ACCESS_UNAUTHENTICATED);
    assert_error(err, ERROR_DENIED, "\"https://graph.microsoft.com\"");
    assert_error(err, ERROR_DENIED, "https://dynamicsessions.io");
}

static void without_the_role_principal_role_and_scope_are_named(void **state)
{
    (void)state;
    struct roles roles = {.enabled = true};
    struct error err = {0};
    assert_int_equal(roles_put(&roles, BOB, ALICE, ROLE_SESSION_EXECUTOR, POOL, NULL, &err), 0);
    AUTO_FREE char *alice = authorization_of(ALICE, "https://dynamicsessions.io");
    AUTO_FREE char *bob = authorization_of(BOB, "https://dynamicsessions.io");
    for (int mode = ACCESS_ANY; mode <= ACCESS_JWT; mode++) {
        assert_int_equal(check((enum access_mode)mode, &roles, alice, &err), ACCESS_GRANTED);
        assert_int_equal(check((enum access_mode)mode, &roles, bob, &err), ACCESS_FORBIDDEN);
        assert_error(err, ERROR_DENIED, BOB);
        assert_error(err, ERROR_DENIED, ROLE_SESSION_EXECUTOR);
        assert_error(err, ERROR_DENIED, "Azure ContainerApps Session Executor");
        assert_error(err, ERROR_DENIED, POOL);
    }
    assert_int_equal(check(ACCESS_ANY, &roles, "Bearer local", &err), ACCESS_FORBIDDEN);
    assert_error(err, ERROR_DENIED, "needs a JWT with oid or appid");
    assert_int_equal(check(ACCESS_NONE, &roles, NULL, &err), ACCESS_GRANTED);
    roles_clear(&roles);
}

static void where_no_role_is_asked_for_a_token_is_enough(void **state)
{
    (void)state;
    struct roles roles = {.enabled = true};
    struct error err = {0};
    AUTO_FREE char *bob = authorization_of(BOB, "https://dynamicsessions.io");
    struct access_rules rules = {ACCESS_JWT, issuer, &roles, now_s};
    struct access_request request = {.authorization = bob, .audiences = audiences};
    assert_int_equal(access_check(&rules, &request, &err), ACCESS_GRANTED);
    request.authorization = "Bearer local";
    assert_int_equal(access_check(&rules, &request, &err), ACCESS_UNAUTHENTICATED);
}

static void modes_are_found_by_name(void **state)
{
    (void)state;
    enum access_mode mode = ACCESS_NONE;
    struct error err = {0};
    assert_int_equal(access_mode_find("jwt", &mode, &err), 0);
    assert_int_equal(mode, ACCESS_JWT);
    assert_string_equal(access_mode_name(mode), "jwt");
    assert_int_equal(access_mode_find("some", &mode, &err), -1);
    assert_error(err, ERROR_INVALID, "none of none, any and jwt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_asks_for_what_it_says),
        cmocka_unit_test(a_token_for_something_else_names_both_audiences),
        cmocka_unit_test(without_the_role_principal_role_and_scope_are_named),
        cmocka_unit_test(where_no_role_is_asked_for_a_token_is_enough),
        cmocka_unit_test(modes_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, open_issuer, close_issuer);
}
