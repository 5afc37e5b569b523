#include "base/core/loop.h"

#include <unistd.h>

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

struct fixture {
    struct hand_clock clock;
    struct loop *loop;
    int order[64];
    int fired;
};

struct numbered {
    struct fixture *fixture;
    struct timer timer;
    int number;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct error err;
    f->loop = loop_create(clock_by_hand(&f->clock), &err);
    *state = f;
    return f->loop ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void note(void *self)
{
    struct numbered *numbered = self;
    struct fixture *f = numbered->fixture;
    f->order[f->fired++] = numbered->number;
}

static void run_once(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(loop_run_once(f->loop, 0, &err), 0);
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    struct fixture *f = *state;
    static const int times[] = {50, 10, 40, 30, 20, 60, 5, 55};
    struct numbered timers[COUNT(times)] = {0};
    for (size_t i = 0; i < COUNT(times); i++) {
        timers[i] = (struct numbered){.fixture = f, .number = times[i]};
        loop_start_timer(f->loop, &timers[i].timer, times[i], note, &timers[i]);
    }
    loop_stop_timer(f->loop, &timers[2].timer); /* 40 */
    f->clock.time_ms = 54;
    run_once(f);
    static const int expected[] = {5, 10, 20, 30, 50};
    assert_int_equal(f->fired, COUNT(expected));
    assert_memory_equal(f->order, expected, sizeof expected);
    f->clock.time_ms = 60;
    run_once(f);
    assert_int_equal(f->fired, COUNT(expected) + 2);
}

static void a_timer_fires_at_its_time_and_not_before(void **state)
{
    struct fixture *f = *state;
    struct numbered timer = {.fixture = f, .number = 1};
    loop_start_timer(f->loop, &timer.timer, 100, note, &timer);
    f->clock.time_ms = 99;
    run_once(f);
    assert_int_equal(f->fired, 0);
    f->clock.time_ms = 100;
    run_once(f);
    assert_int_equal(f->fired, 1);
    assert_false(timer.timer.active);
}

static void a_timer_can_be_moved(void **state)
{
    struct fixture *f = *state;
    struct numbered timer = {.fixture = f, .number = 1};
    loop_start_timer(f->loop, &timer.timer, 100, note, &timer);
    loop_start_timer(f->loop, &timer.timer, 200, note, &timer);
    f->clock.time_ms = 150;
    run_once(f);
    assert_int_equal(f->fired, 0);
    f->clock.time_ms = 200;
    run_once(f);
    assert_int_equal(f->fired, 1);
}

struct pair {
    struct loop *loop;
    struct watch watches[2];
    int calls;
};

static void stop_both(void *self, uint32_t events)
{
    (void)events;
    struct pair *pair = self;
    pair->calls++;
    loop_unwatch(pair->loop, &pair->watches[0]);
    loop_unwatch(pair->loop, &pair->watches[1]);
}

static void a_watch_stopped_by_a_neighbour_is_not_called(void **state)
{
    struct fixture *f = *state;
    struct pair pair = {.loop = f->loop};
    int pipes[2][2];
    struct error err = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
        assert_int_equal(
            loop_watch(f->loop, &pair.watches[i], pipes[i][0], EPOLLIN, stop_both, &pair, &err), 0);
    }
    run_once(f);
    assert_int_equal(pair.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

static int count_prepare(void *self)
{
    (*(int *)self)++;
    return 0;
}

static void preparation_runs_before_each_wait_and_bounds_it(void **state)
{
    struct fixture *f = *state;
    int calls = 0;
    struct preparation first, second;
    loop_add_preparation(f->loop, &first, count_prepare, &calls);
    loop_add_preparation(f->loop, &second, count_prepare, &calls);
    struct error err = {0};
    assert_int_equal(loop_run_once(f->loop, -1, &err), 0); /* would wait for ever */
    assert_int_equal(calls, 2);
    loop_remove_preparation(f->loop, &first);
    loop_remove_preparation(f->loop, &first);
    assert_int_equal(loop_run_once(f->loop, -1, &err), 0);
    assert_int_equal(calls, 3);
    loop_remove_preparation(f->loop, &second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_fires_at_its_time_and_not_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_can_be_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_watch_stopped_by_a_neighbour_is_not_called, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(preparation_runs_before_each_wait_and_bounds_it, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
