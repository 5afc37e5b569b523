#include "base/core/layer.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

static void a_layer_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < LAYERS_MAX; i++) {
        enum layer layer = LAYERS_MAX;
        assert_int_equal(layer_find(layer_name((enum layer)i), &layer, NULL), 0);
        assert_int_equal(layer, i);
    }
}

static void an_unknown_name_is_answered_with_all_names(void **state)
{
    (void)state;
    enum layer layer;
    struct error err = {0};
    assert_int_equal(layer_find("seccomp", &layer, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    for (int i = 0; i < LAYERS_MAX; i++)
        assert_non_null(strstr(err.message, layer_name((enum layer)i)));
}

static void options_add_up_and_one_that_is_wrong_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    uint32_t allowed = 0;
    assert_int_equal(layer_allow("uts", &allowed, &err), 0);
    assert_int_equal(layer_allow("ids", &allowed, &err), 0);
    assert_int_equal(layer_allow("seccomp", &allowed, &err), -1);
    assert_int_equal(allowed, 1U << LAYER_UTS | 1U << LAYER_IDS);
    assert_error(err, ERROR_INVALID, "--allow-missing: seccomp is no layer");
}

static void a_layer_misses_only_where_that_is_allowed(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, ERROR_SYSTEM, "the disk is read-only");

    assert_int_equal(layer_miss(LAYER_CGROUP, 1U << LAYER_UTS, err.message, &err), -1);
    assert_int_equal(err.code, ERROR_DENIED);
    assert_non_null(strstr(err.message, "the disk is read-only"));
    assert_non_null(strstr(err.message, "cgroup"));
    assert_false(layer_is_missing(LAYER_CGROUP));

    assert_int_equal(layer_miss(LAYER_CGROUP, 1U << LAYER_CGROUP, "no reason", &err), 0);
    assert_true(layer_is_missing(LAYER_CGROUP));
    assert_false(layer_is_missing(LAYER_UTS));
}

static void a_program_is_told_by_its_argument(void **state)
{
    (void)state;
    char argument[16];
    assert_int_equal(layers_from_argument("0", NULL), 0);
    assert_int_equal(layer_miss(LAYER_LANDLOCK, ~0U, "no reason", NULL), 0);
    snprintf(argument, sizeof argument, "%s", layers_to_argument());

    assert_int_equal(layers_from_argument("0", NULL), 0);
    assert_false(layer_is_missing(LAYER_LANDLOCK));
    assert_int_equal(layers_from_argument(argument, NULL), 0);
    assert_true(layer_is_missing(LAYER_LANDLOCK));

    static const char *const broken[] = {NULL, "", "-1", "cgroup", "1024"};
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_int_equal(layers_from_argument(broken[i], NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_is_found_by_its_name),
        cmocka_unit_test(an_unknown_name_is_answered_with_all_names),
        cmocka_unit_test(options_add_up_and_one_that_is_wrong_is_named),
        cmocka_unit_test(a_layer_misses_only_where_that_is_allowed),
        cmocka_unit_test(a_program_is_told_by_its_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
