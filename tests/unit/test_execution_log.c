#include "sandboxd/link/execution_log.h"

#include <stdio.h>

#include "tests/support/unit.h"

enum { ENTRIES = EXECUTION_LOG_KEPT_MAX + 2 };

static struct {
    struct execution_log log;
    struct logged_execution entries[ENTRIES];
    char ids[ENTRIES][16];
    int dropped;
} f;

static void on_dropped(void *self)
{
    (void)self;
    f.dropped++;
}

static int set_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(f.ids[i], sizeof f.ids[i], "id-%d", i);
        f.entries[i].id = f.ids[i];
        f.entries[i].on_dropped = on_dropped;
        execution_log_add(&f.log, &f.entries[i]);
    }
    return 0;
}

static void the_oldest_that_are_over_make_room_and_running_ones_stay(void **state)
{
    (void)state;
    for (int i = 1; i < ENTRIES; i++)
        execution_log_settle(&f.entries[i], 1);
    assert_int_equal(f.dropped, 1);
    assert_ptr_equal(execution_log_find(&f.log, "id-0"), &f.entries[0]);
    assert_null(execution_log_find(&f.log, "id-1"));
    assert_ptr_equal(execution_log_find(&f.log, "id-2"), &f.entries[2]);
}

static void bytes_are_bounded_and_the_newest_stays_whatever_its_size(void **state)
{
    (void)state;
    execution_log_settle(&f.entries[0], EXECUTION_LOG_BYTES_MAX);
    assert_int_equal(f.dropped, 0);
    execution_log_settle(&f.entries[1], EXECUTION_LOG_BYTES_MAX + 1);
    assert_int_equal(f.dropped, 1);
    assert_null(execution_log_find(&f.log, "id-0"));
    assert_non_null(execution_log_find(&f.log, "id-1"));
}

static void what_runs_outlives_the_log_and_is_dropped_at_its_end(void **state)
{
    (void)state;
    execution_log_settle(&f.entries[0], 1);
    execution_log_clear(&f.log);
    assert_int_equal(f.dropped, 1);
    assert_null(f.entries[1].log);
    execution_log_remove(&f.entries[1]);
    execution_log_settle(&f.entries[1], 1);
    assert_int_equal(f.dropped, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_oldest_that_are_over_make_room_and_running_ones_stay, set_up),
        cmocka_unit_test_setup(bytes_are_bounded_and_the_newest_stays_whatever_its_size, set_up),
        cmocka_unit_test_setup(what_runs_outlives_the_log_and_is_dropped_at_its_end, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
