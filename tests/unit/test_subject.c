#include "sandboxd/identity/subject.h"

#include "tests/support/unit.h"

#define ALICE "aaaaaaaa-0000-0000-0000-000000000001"
#define BOB   "bbbbbbbb-0000-0000-0000-000000000002"

static struct jwt_claims fill(const struct subject *subject)
{
    struct jwt_claims claims = {0};
    struct error err = {0};
    assert_int_equal(subject_fill_claims(subject, "audience", 1000, 60, &claims, &err), 0);
    assert_int_equal(claims.not_before_s, 1000);
    assert_int_equal(claims.expires_s, 1060);
    assert_string_equal(claims.aud, "audience");
    assert_string_equal(claims.sub, claims.oid);
    return claims;
}

static void who_is_named_is_meant(void **state)
{
    (void)state;
    static const struct {
        struct subject subject;
        const char *appid, *oid, *tid;
    } cases[] = {
        {{0}, SUBJECT_CLIENT_ID, SUBJECT_OBJECT_ID, SUBJECT_TENANT},
        {{.client_id = ALICE}, ALICE, ALICE, SUBJECT_TENANT},
        {{.object_id = BOB}, BOB, BOB, SUBJECT_TENANT},
        {{.client_id = ALICE, .object_id = BOB}, ALICE, BOB, SUBJECT_TENANT},
        {{.client_id = "AAAAAAAA-0000-0000-0000-000000000001", .tenant = BOB}, ALICE, ALICE, BOB},
        {{.client_id = ALICE, .tenant = "common"}, ALICE, ALICE, SUBJECT_TENANT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct jwt_claims claims = fill(&cases[i].subject);
        assert_string_equal(claims.appid, cases[i].appid);
        assert_string_equal(claims.oid, cases[i].oid);
        assert_string_equal(claims.tid, cases[i].tid);
    }
}

static void a_resource_id_is_always_the_same_somebody(void **state)
{
    (void)state;
    struct subject lower = {.resource_id = "/subscriptions/s/identities/a"};
    struct subject upper = {.resource_id = "/Subscriptions/S/identities/A"};
    struct subject other = {.resource_id = "/subscriptions/s/identities/b"};
    struct jwt_claims first = fill(&lower), second = fill(&upper), third = fill(&other);
    assert_string_equal(first.oid, second.oid);
    assert_string_not_equal(first.oid, third.oid);
    assert_string_not_equal(first.oid, SUBJECT_OBJECT_ID);
}

static void what_is_no_id_is_named(void **state)
{
    (void)state;
    struct subject client = {.client_id = "alice"}, object = {.object_id = ALICE "0"};
    struct jwt_claims claims;
    struct error err = {0};
    assert_int_equal(subject_fill_claims(&client, "audience", 0, 0, &claims, &err), -1);
    assert_error(err, ERROR_INVALID, "client id: \"alice\" is not a GUID");
    assert_int_equal(subject_fill_claims(&object, "audience", 0, 0, &claims, &err), -1);
    assert_error(err, ERROR_INVALID, "object id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_named_is_meant),
        cmocka_unit_test(a_resource_id_is_always_the_same_somebody),
        cmocka_unit_test(what_is_no_id_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
