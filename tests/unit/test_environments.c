#include "sandboxd/api/environments.h"

#include "tests/support/unit.h"

static const char pool_a, pool_b;

static int set_up(void **state)
{
    *state = environments_create();
    return 0;
}

static int tear_down(void **state)
{
    environments_destroy(*state);
    return 0;
}

static void an_environment_has_no_session_at_its_launch(void **state)
{
    char id[GUID_TEXT_MAX], other[GUID_TEXT_MAX];
    environments_launch(*state, &pool_a, id);
    environments_launch(*state, &pool_a, other);
    assert_int_equal(strlen(id), GUID_TEXT_MAX - 1);
    assert_string_not_equal(id, other);
    assert_false(environments_had_session(*state, &pool_a, id));
    environments_note_session(*state, &pool_a, id);
    assert_true(environments_had_session(*state, &pool_a, id));
    assert_false(environments_had_session(*state, &pool_a, other));
}

static void another_pool_knows_nothing_of_it(void **state)
{
    char id[GUID_TEXT_MAX];
    environments_launch(*state, &pool_a, id);
    environments_note_session(*state, &pool_b, id);
    assert_false(environments_had_session(*state, &pool_a, id));
    environments_note_session(*state, &pool_a, id);
    assert_false(environments_had_session(*state, &pool_b, id));
}

static void an_identifier_of_the_caller_is_not_remembered(void **state)
{
    environments_note_session(*state, &pool_a, "mine");
    assert_false(environments_had_session(*state, &pool_a, "mine"));
    environments_note_session(*state, &pool_a, "");
    assert_false(environments_had_session(*state, &pool_a, ""));
}

static void the_oldest_launch_is_forgotten_first(void **state)
{
    char first[GUID_TEXT_MAX], second[GUID_TEXT_MAX], id[GUID_TEXT_MAX];
    environments_launch(*state, &pool_a, first);
    environments_launch(*state, &pool_a, second);
    environments_note_session(*state, &pool_a, first);
    environments_note_session(*state, &pool_a, second);
    for (int i = 1; i < ENVIRONMENTS_MAX; i++)
        environments_launch(*state, &pool_a, id);
    assert_false(environments_had_session(*state, &pool_a, first));
    assert_true(environments_had_session(*state, &pool_a, second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_environment_has_no_session_at_its_launch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_pool_knows_nothing_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_identifier_of_the_caller_is_not_remembered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_launch_is_forgotten_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
