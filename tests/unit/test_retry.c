#include "agent/llm/retry.h"

#include "tests/support/unit.h"

static void what_may_be_better_later_is_worth_asking_again(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        bool is_worth;
    } cases[] = {{400, false}, {401, false}, {404, false}, {408, true},  {409, true},
                 {422, false}, {429, true},  {500, true},  {501, false}, {502, true},
                 {503, true},  {504, true},  {505, false}, {529, true}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(retry_is_worth(cases[i].status), cases[i].is_worth);
}

static void waits_double_up_to_eight_seconds(void **state)
{
    (void)state;
    uint64_t random = 1;
    struct retry retry = {.budget_ms = 100000, .random = &random};
    static const int64_t longest_ms[] = {500, 1000, 2000, 4000, 8000};
    for (size_t i = 0; i < COUNT(longest_ms); i++) {
        int64_t wait_ms = retry_wait_ms(&retry, -1);
        assert_in_range(wait_ms, longest_ms[i] * 3 / 4, longest_ms[i]);
    }
    assert_int_equal(retry_wait_ms(&retry, -1), -1); /* five times is enough */
}

static void the_same_seed_gives_the_same_waits(void **state)
{
    (void)state;
    uint64_t random_a = 42, random_b = 42, random_c = 43;
    struct retry a = {.budget_ms = 100000, .random = &random_a};
    struct retry b = {.budget_ms = 100000, .random = &random_b};
    struct retry c = {.budget_ms = 100000, .random = &random_c};
    bool differs = false;
    for (int i = 0; i < RETRIES_MAX; i++) {
        int64_t wait_ms = retry_wait_ms(&a, -1);
        assert_int_equal(wait_ms, retry_wait_ms(&b, -1));
        differs = differs || wait_ms != retry_wait_ms(&c, -1);
    }
    assert_true(differs);
}

static void what_the_service_asks_for_is_waited_within_the_budget(void **state)
{
    (void)state;
    uint64_t random = 1;
    struct retry retry = {.budget_ms = 30000, .random = &random};
    assert_int_equal(retry_wait_ms(&retry, 20000), 20000);
    assert_int_equal(retry_wait_ms(&retry, 20000), -1);
    assert_int_equal(retry_wait_ms(&retry, 10000), 10000);
    assert_int_equal(retry_wait_ms(&retry, 0), 0);
    struct retry none = {.budget_ms = -1, .random = &random};
    assert_int_equal(retry_wait_ms(&none, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_better_later_is_worth_asking_again),
        cmocka_unit_test(waits_double_up_to_eight_seconds),
        cmocka_unit_test(the_same_seed_gives_the_same_waits),
        cmocka_unit_test(what_the_service_asks_for_is_waited_within_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
