#include "base/core/cgroup_place.h"

#include "tests/support/unit.h"

static void a_list_has_whole_words_only(void **state)
{
    (void)state;
    static const struct {
        const char *list, *word;
        char separator;
        bool has;
    } cases[] = {
        {"cpuset cpu io memory pids\n", "cpu", ' ', true},
        {"cpuset io memory pids\n", "cpu", ' ', false},
        {"cpuset io memory pids\n", "pids", ' ', true},
        {"rw,cpu,cpuacct", "cpuacct", ',', true},
        {"rw,cpu,cpuacct", "acct", ',', false},
        {"", "cpu", ' ', false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(cgroup_place_lists(cases[i].list, cases[i].word, cases[i].separator),
                         cases[i].has);
}

static void a_hierarchy_that_is_not_there_is_missing(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(cgroup_place_open("no-such-controller", false, &err), -1);
    assert_int_equal(err.code, ERROR_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_whole_words_only),
        cmocka_unit_test(a_hierarchy_that_is_not_there_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
