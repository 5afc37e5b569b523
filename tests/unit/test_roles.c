#include "sandboxd/identity/roles.h"

#include "base/core/state_file.h"
#include "sandboxd/identity/role_list.h"
#include "tests/support/state_directory.h"

#define ALICE  "aaaaaaaa-0000-0000-0000-000000000001"
#define BOB    "bbbbbbbb-0000-0000-0000-000000000002"
#define FIRST  "11111111-0000-0000-0000-000000000001"
#define SECOND "22222222-0000-0000-0000-000000000002"
#define GROUP  "/subscriptions/s/resourceGroups/g"
#define POOL   GROUP "/providers/Microsoft.App/sessionPools/p"

static void put(struct roles *roles, const char *name, const char *principal, const char *role,
                const char *scope)
{
    struct error err = {0};
    assert_int_equal(roles_put(roles, name, principal, role, scope, NULL, &err), 0);
}

static void a_list_that_is_not_in_force_allows_everything(void **state)
{
    (void)state;
    struct roles roles = {0};
    assert_true(roles_allow(&roles, NULL, NULL, ROLE_SESSION_EXECUTOR, POOL));
    roles.enabled = true;
    assert_false(roles_allow(&roles, ALICE, NULL, ROLE_SESSION_EXECUTOR, POOL));
}

static void a_scope_covers_what_is_below_it_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        bool allowed;
    } cases[] = {
        {"/", true},
        {"/subscriptions/s", true},
        {"/SUBSCRIPTIONS/S/", true},
        {GROUP, true},
        {POOL, true},
        {POOL "q", false},
        {"/subscriptions/s/resourceGroups", true},
        {"/subscriptions/s/resourceGroups/other", false},
        {"/sub", false},
        {POOL "/below", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct roles roles = {.enabled = true};
        put(&roles, FIRST, ALICE, ROLE_SESSION_EXECUTOR, cases[i].scope);
        assert_int_equal(roles_allow(&roles, ALICE, NULL, ROLE_SESSION_EXECUTOR, POOL),
                         cases[i].allowed);
        roles_clear(&roles);
    }
}

static void a_principal_is_its_object_id_or_its_application_id(void **state)
{
    (void)state;
    struct roles roles = {.enabled = true};
    put(&roles, FIRST, ALICE, ROLE_SESSION_EXECUTOR, "/");
    assert_true(roles_allow(&roles, ALICE, NULL, ROLE_SESSION_EXECUTOR, POOL));
    assert_true(roles_allow(&roles, BOB, "AAAAAAAA-0000-0000-0000-000000000001",
                            ROLE_SESSION_EXECUTOR, POOL));
    assert_false(roles_allow(&roles, BOB, BOB, ROLE_SESSION_EXECUTOR, POOL));
    assert_false(roles_allow(&roles, NULL, NULL, ROLE_SESSION_EXECUTOR, POOL));
    roles_clear(&roles);
}

static void only_an_owner_is_other_things_too(void **state)
{
    (void)state;
    struct roles roles = {.enabled = true};
    put(&roles, FIRST, ALICE, ROLE_OWNER, "/");
    put(&roles, SECOND, BOB, ROLE_CONTRIBUTOR, "/");
    assert_true(roles_allow(&roles, ALICE, NULL, ROLE_CONTRIBUTOR, POOL));
    assert_true(roles_allow(&roles, ALICE, NULL, ROLE_ACCESS_ADMIN, POOL));
    assert_false(roles_allow(&roles, ALICE, NULL, ROLE_SESSION_EXECUTOR, POOL));
    assert_false(roles_allow(&roles, BOB, NULL, ROLE_SESSION_EXECUTOR, POOL));
    assert_false(roles_allow(&roles, BOB, NULL, ROLE_ACCESS_ADMIN, POOL));
    assert_false(roles_allow(&roles, BOB, NULL, ROLE_OWNER, POOL));
    roles_clear(&roles);
}

static void an_assignment_is_replaced_found_and_removed_by_name_and_scope(void **state)
{
    (void)state;
    struct roles roles = {.enabled = true};
    const struct role_assignment *item = NULL;
    struct error err = {0};
    put(&roles, FIRST, ALICE, ROLE_SESSION_EXECUTOR, POOL);
    assert_int_equal(roles_put(&roles, FIRST, BOB,
                               "/subscriptions/s/providers/Microsoft.Authorization/"
                               "roleDefinitions/" ROLE_SESSION_EXECUTOR,
                               POOL "/", &item, &err),
                     0);
    assert_int_equal(roles.count, 1);
    assert_string_equal(item->principal_id, BOB);
    assert_string_equal(item->role_id, ROLE_SESSION_EXECUTOR);
    assert_string_equal(item->scope, POOL);

    put(&roles, FIRST, ALICE, ROLE_SESSION_EXECUTOR, GROUP);
    assert_int_equal(roles.count, 2);
    assert_ptr_equal(roles_find(&roles, FIRST, POOL), &roles.items[0]);
    assert_null(roles_find(&roles, SECOND, POOL));
    assert_true(roles_remove(&roles, FIRST, POOL));
    assert_false(roles_remove(&roles, FIRST, POOL));
    assert_int_equal(roles.count, 1);
    assert_string_equal(roles.items[0].scope, GROUP);
    roles_clear(&roles);
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *principal, *role, *scope, *named;
    } cases[] = {
        {"x", ALICE, ROLE_OWNER, "/", "name"},
        {FIRST, "alice", ROLE_OWNER, "/", "principalId"},
        {FIRST, ALICE "0", ROLE_OWNER, "/", "principalId"},
        {FIRST, ALICE, "writer", "/", "roleDefinitionId"},
        {FIRST, ALICE, "contributor", "/",
         "roleDefinitionId: \"Contributor\" is a role's name; give its id, " ROLE_CONTRIBUTOR},
        {FIRST, ALICE, "/x/", "/", "roleDefinitionId"},
        {FIRST, ALICE, ROLE_OWNER, "subscriptions/s", "scope"},
        {FIRST, ALICE, ROLE_OWNER, "", "scope"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct roles roles = {0};
        struct error err = {0};
        assert_int_equal(roles_put(&roles, cases[i].name, cases[i].principal, cases[i].role,
                                   cases[i].scope, NULL, &err),
                         -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_memory_equal(err.message, cases[i].named, strlen(cases[i].named));
        assert_int_equal(roles.count, 0);
    }
}

static void the_list_has_an_end(void **state)
{
    (void)state;
    struct roles roles = {0};
    struct error err = {0};
    char name[GUID_TEXT_MAX];
    for (int i = 0; i < ROLES_MAX; i++) {
        snprintf(name, sizeof name, "11111111-0000-0000-0000-%012d", i);
        put(&roles, name, ALICE, ROLE_OWNER, "/");
    }
    assert_int_equal(roles_put(&roles, SECOND, ALICE, ROLE_OWNER, "/", NULL, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    roles_clear(&roles);
}

static void a_list_is_kept_and_a_broken_one_is_an_error(void **state)
{
    static const char *const broken[] = {"", "{}", "[1]", "[{\"principalId\":\"x\"}]"};
    struct error err = {0};
    struct roles roles = {0}, later = {0};
    void *opened = NULL;
    (void)state;
    assert_int_equal(state_directory_open(&opened), 0);
    int fd = ((struct state_directory *)opened)->fd;
    assert_int_equal(role_list_load(fd, &roles, &err), 0);
    assert_int_equal(roles.count, 0);
    put(&roles, FIRST, ALICE, ROLE_CONTRIBUTOR, GROUP);
    put(&roles, SECOND, BOB, ROLE_SESSION_EXECUTOR, POOL);
    assert_int_equal(role_list_save(fd, &roles, &err), 0);
    assert_int_equal(role_list_load(fd, &later, &err), 0);
    assert_int_equal(later.count, 2);
    assert_string_equal(roles_find(&later, SECOND, POOL)->principal_id, BOB);
    assert_false(later.enabled);
    for (size_t i = 0; i < COUNT(broken); i++) {
        assert_int_equal(state_file_write(fd, "role-assignments.json", STATE_FILE_SECRET, broken[i],
                                          strlen(broken[i]), &err),
                         0);
        assert_int_equal(role_list_load(fd, &later, &err), -1);
        assert_non_null(strstr(err.message, "role-assignments.json"));
    }
    roles_clear(&roles);
    roles_clear(&later);
    assert_int_equal(state_directory_close(&opened), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_that_is_not_in_force_allows_everything),
        cmocka_unit_test(a_scope_covers_what_is_below_it_and_nothing_else),
        cmocka_unit_test(a_principal_is_its_object_id_or_its_application_id),
        cmocka_unit_test(only_an_owner_is_other_things_too),
        cmocka_unit_test(an_assignment_is_replaced_found_and_removed_by_name_and_scope),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(the_list_has_an_end),
        cmocka_unit_test(a_list_is_kept_and_a_broken_one_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
