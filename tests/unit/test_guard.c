#include "agent/turn/guard.h"

#include "tests/support/unit.h"

enum { RUNS_MAX = 5 };

static struct failure failure_of(enum failure_kind kind, const char *module, uint64_t signature)
{
    struct failure failure = {.kind = kind, .signature = signature};
    strcpy(failure.module, module ? module : "");
    return failure;
}

/* Runs of different programs one after the other, and what each verdict must be. */
static void failures_are_counted_by_kind(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct {
            enum failure_kind kind;
            enum guard_verdict verdict;
            const char *module;
            uint64_t signature;
        } runs[RUNS_MAX];
    } cases[] = {
        {"two attempts at a closed network",
         {{FAILURE_NETWORK, GUARD_FACT, NULL, 1}, {FAILURE_NETWORK, GUARD_ANSWER, NULL, 2}}},
        {"success between them changes nothing",
         {{FAILURE_NETWORK, GUARD_FACT, NULL, 1},
          {FAILURE_NONE, GUARD_GO, NULL, 0},
          {FAILURE_NETWORK, GUARD_ANSWER, NULL, 2}}},
        {"one package twice",
         {{FAILURE_PACKAGE, GUARD_FACT, "openpyxl", 1},
          {FAILURE_PACKAGE, GUARD_ANSWER, "openpyxl", 1}}},
        {"several packages",
         {{FAILURE_PACKAGE, GUARD_FACT, "a", 1},
          {FAILURE_PACKAGE, GUARD_FACT, "b", 2},
          {FAILURE_PACKAGE, GUARD_FACT, "c", 3},
          {FAILURE_PACKAGE, GUARD_ANSWER, "d", 4}}},
        {"out of time",
         {{FAILURE_TIMEOUT, GUARD_FACT, NULL, 1},
          {FAILURE_TIMEOUT, GUARD_FACT, NULL, 1},
          {FAILURE_TIMEOUT, GUARD_ANSWER, NULL, 1}}},
        {"out of memory",
         {{FAILURE_MEMORY, GUARD_FACT, NULL, 1},
          {FAILURE_TIMEOUT, GUARD_FACT, NULL, 2},
          {FAILURE_MEMORY, GUARD_FACT, NULL, 1},
          {FAILURE_MEMORY, GUARD_ANSWER, NULL, 1}}},
        {"the same error in a row",
         {{FAILURE_OTHER, GUARD_GO, NULL, 7},
          {FAILURE_OTHER, GUARD_FACT, NULL, 7},
          {FAILURE_OTHER, GUARD_ANSWER, NULL, 7}}},
        {"the same syntax error",
         {{FAILURE_SYNTAX, GUARD_GO, NULL, 7},
          {FAILURE_SYNTAX, GUARD_FACT, NULL, 7},
          {FAILURE_SYNTAX, GUARD_ANSWER, NULL, 7}}},
        {"different errors",
         {{FAILURE_OTHER, GUARD_GO, NULL, 1},
          {FAILURE_OTHER, GUARD_GO, NULL, 2},
          {FAILURE_OTHER, GUARD_GO, NULL, 1},
          {FAILURE_OTHER, GUARD_GO, NULL, 3}}},
        {"an error, success, the error again",
         {{FAILURE_OTHER, GUARD_GO, NULL, 7},
          {FAILURE_NONE, GUARD_GO, NULL, 0},
          {FAILURE_OTHER, GUARD_GO, NULL, 7}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct guard guard = {0};
        /* Rows that are not written out succeed, which changes nothing. */
        for (size_t n = 0; n < RUNS_MAX; n++) {
            struct failure failure = failure_of(cases[i].runs[n].kind, cases[i].runs[n].module,
                                                cases[i].runs[n].signature);
            guard_note_run(&guard, 100 + n, &failure);
            struct guard_decision decision = guard_after_run(&guard, &failure);
            if (decision.verdict != cases[i].runs[n].verdict)
                fail_msg("%s, run %zu: %d, %s", cases[i].what, n + 1, (int)decision.verdict,
                         decision.reason);
            bool says_something = decision.verdict != GUARD_GO;
            assert_int_equal(decision.fact[0] != '\0', says_something);
            assert_int_equal(decision.reason[0] != '\0', says_something);
        }
    }
}

static void an_open_network_makes_a_lost_host_an_ordinary_error(void **state)
{
    (void)state;
    struct guard guard = {.network_is_open = true};
    struct failure failure = failure_of(FAILURE_NETWORK, NULL, 3);
    guard_note_run(&guard, 1, &failure);
    assert_int_equal(guard_after_run(&guard, &failure).verdict, GUARD_GO);
    guard_note_run(&guard, 2, &failure);
    assert_int_equal(guard_after_run(&guard, &failure).verdict, GUARD_FACT);
}

static void a_guess_about_the_network_is_told_as_one(void **state)
{
    (void)state;
    struct guard guard = {0};
    struct failure failure = failure_of(FAILURE_NETWORK, NULL, 3);
    guard_note_run(&guard, 1, &failure);
    assert_non_null(strstr(guard_after_run(&guard, &failure).fact, "as far as can be told"));
    failure.network_is_closed = true;
    assert_null(strstr(guard_after_run(&guard, &failure).fact, "as far as can be told"));
}

static void a_missing_package_is_named(void **state)
{
    (void)state;
    struct guard guard = {0};
    struct failure failure = failure_of(FAILURE_PACKAGE, "openpyxl", 3);
    guard_note_run(&guard, 1, &failure);
    struct guard_decision decision = guard_after_run(&guard, &failure);
    assert_non_null(strstr(decision.fact, "openpyxl"));
    assert_non_null(strstr(decision.fact, "pip is not available"));
}

static void a_program_that_has_just_failed_is_not_run_again(void **state)
{
    (void)state;
    struct guard guard = {0};
    struct failure failure = failure_of(FAILURE_OTHER, NULL, 3);
    assert_int_equal(guard_before_run(&guard, 1).verdict, GUARD_GO);
    guard_note_run(&guard, 1, &failure);
    assert_int_equal(guard_before_run(&guard, 2).verdict, GUARD_GO);
    struct guard_decision decision = guard_before_run(&guard, 1);
    assert_int_equal(decision.verdict, GUARD_FACT);
    assert_non_null(strstr(decision.fact, "Not run"));
    guard_note_repeat(&guard);
    assert_int_equal(guard_before_run(&guard, 1).verdict, GUARD_ANSWER);
    /* Something else has run: perhaps it mended what was wrong. */
    struct failure none = {0};
    guard_note_run(&guard, 2, &none);
    assert_int_equal(guard_before_run(&guard, 1).verdict, GUARD_GO);
}

static void a_program_that_works_runs_three_times_at_most(void **state)
{
    (void)state;
    struct guard guard = {0};
    struct failure none = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(guard_before_run(&guard, 1).verdict, GUARD_GO);
        guard_note_run(&guard, 1, &none);
    }
    assert_int_equal(guard_before_run(&guard, 1).verdict, GUARD_FACT);
    assert_int_equal(guard_before_run(&guard, 2).verdict, GUARD_GO);
}

static void many_programs_and_modules_are_remembered_without_end(void **state)
{
    (void)state;
    struct guard guard = {0};
    struct failure failure = failure_of(FAILURE_PACKAGE, "x", 3);
    for (unsigned i = 0; i < 3 * GUARD_PROGRAMS_MAX; i++)
        guard_note_run(&guard, i, &failure);
    assert_int_equal(guard.executions, 3 * GUARD_PROGRAMS_MAX);
    assert_int_equal(guard_before_run(&guard, 3 * GUARD_PROGRAMS_MAX - 1).verdict, GUARD_FACT);
}

static void every_budget_ends_the_turn(void **state)
{
    (void)state;
    static const struct {
        struct guard_limits limits;
        enum guard_verdict verdict;
        const char *word;
    } cases[] = {
        {{0}, GUARD_GO, ""},
        {{.model_calls = 3}, GUARD_ANSWER, "3 model calls"},
        {{.model_calls = 2}, GUARD_STOP, "2 model calls"},
        {{.model_calls = 1}, GUARD_STOP, "1 model calls"},
        {{.time_ms = 5000}, GUARD_STOP, "5 s"},
        {{.time_ms = 5001}, GUARD_GO, ""},
        {{.tokens = 1500}, GUARD_STOP, "1500 tokens"},
        {{.tokens = 1501}, GUARD_GO, ""},
        {{.cost = 0.006, .input_price = 1, .output_price = 10}, GUARD_STOP, "0.0060"},
        {{.cost = 0.0061, .input_price = 1, .output_price = 10}, GUARD_GO, ""},
    };
    struct guard guard = {.started_ms = 1000};
    guard_note_call(&guard, 600, 300);
    guard_note_call(&guard, 400, 200);
    guard_note_call(&guard, -1, -1);
    guard.model_calls = 2;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct guard_decision decision = guard_before_call(&guard, &cases[i].limits, 6000);
        if (decision.verdict != cases[i].verdict)
            fail_msg("case %zu: %d, %s", i, (int)decision.verdict, decision.reason);
        assert_non_null(strstr(decision.reason, cases[i].word));
    }
}

static void a_forced_answer_stays_forced(void **state)
{
    (void)state;
    struct guard guard = {.answer_was_forced = true};
    struct guard_limits limits = {.model_calls = 10};
    assert_int_equal(guard_before_call(&guard, &limits, 0).verdict, GUARD_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_counted_by_kind),
        cmocka_unit_test(an_open_network_makes_a_lost_host_an_ordinary_error),
        cmocka_unit_test(a_guess_about_the_network_is_told_as_one),
        cmocka_unit_test(a_missing_package_is_named),
        cmocka_unit_test(a_program_that_has_just_failed_is_not_run_again),
        cmocka_unit_test(a_program_that_works_runs_three_times_at_most),
        cmocka_unit_test(many_programs_and_modules_are_remembered_without_end),
        cmocka_unit_test(every_budget_ends_the_turn),
        cmocka_unit_test(a_forced_answer_stays_forced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
