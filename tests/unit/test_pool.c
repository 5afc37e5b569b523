#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/pool/pool.h"
#include "tests/support/fake_broker.h"

enum { COOLDOWN_MS = 300000 };

struct fixture {
    struct hand_clock clock;
    struct fake_broker broker;
    struct pool *pool;
};

/* An execution or a transfer that remembers what became of it. */
struct probe {
    struct work work;
    struct session *session;
    unsigned turns;
    unsigned losses;
    char message[ERROR_MESSAGE_MAX];
};

static void on_turn(void *self, struct session *session)
{
    struct probe *probe = self;
    probe->turns++;
    probe->session = session;
}

static void on_lost(void *self, const struct error *err)
{
    struct probe *probe = self;
    probe->losses++;
    memcpy(probe->message, err->message, sizeof probe->message);
}

static struct probe probe_create(void)
{
    return (struct probe){.work = {.on_turn = on_turn, .on_lost = on_lost}};
}

static void enqueue(struct session *session, struct probe *probe)
{
    struct error err = {0};
    probe->work.self = probe;
    assert_int_equal(session_enqueue_execution(session, &probe->work, &err), 0);
}

static struct pool *pool_with(struct fixture *f, unsigned most, unsigned ready)
{
    f->clock.time_ms = 1000;
    struct pool_broker seam = fake_broker_seam(&f->broker);
    struct pool_settings settings = {
        .name = "default",
        .max_concurrent_sessions = most,
        .ready_session_instances = ready,
        .cooldown_ms = COOLDOWN_MS,
    };
    f->pool = pool_create(&settings, &seam, clock_by_hand(&f->clock));
    pool_wake(f->pool);
    return f->pool;
}

static struct session *obtain(struct fixture *f, const char *identifier)
{
    struct error err = {0};
    struct session *session = NULL;
    bool is_new;
    assert_int_equal(pool_obtain_session(f->pool, identifier, &session, &is_new, &err), 0);
    return session;
}

static struct session *obtain_running(struct fixture *f, const char *identifier)
{
    struct session *session = obtain(f, identifier);
    fake_broker_bring_up(session);
    return session;
}

static void advance(struct fixture *f, int64_t ms)
{
    f->clock.time_ms += ms;
    if (f->broker.wake_at_ms >= 0 && f->broker.wake_at_ms <= f->clock.time_ms)
        pool_wake(f->pool);
}

static void a_session_is_removed_after_its_cooldown(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");

    advance(&f, COOLDOWN_MS - 1);
    assert_int_equal(f.broker.removes, 0);

    advance(&f, 1);
    assert_int_equal(f.broker.removes, 1);
    assert_ptr_equal(f.broker.last_removed, session);
    assert_null(pool_find_session(f.pool, "demo-1"));
    fake_broker_reap(session);
    pool_destroy(f.pool);
}

static void every_call_restarts_the_cooldown(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    obtain_running(&f, "demo-1");
    obtain_running(&f, "demo-2");

    advance(&f, COOLDOWN_MS - 1);
    obtain(&f, "demo-1");
    advance(&f, 1);
    assert_non_null(pool_find_session(f.pool, "demo-1"));
    assert_null(pool_find_session(f.pool, "demo-2"));
    fake_broker_reap(f.broker.last_removed);

    advance(&f, COOLDOWN_MS - 1);
    assert_null(pool_find_session(f.pool, "demo-1"));
    fake_broker_reap(f.broker.last_removed);
    pool_destroy(f.pool);
}

static void a_session_does_not_expire_while_it_works(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct probe execution = probe_create();
    enqueue(session, &execution);
    session_hold(session); /* a transfer */

    advance(&f, 2 * COOLDOWN_MS);
    session_on_interpreter_idle(session);
    advance(&f, 2 * COOLDOWN_MS);
    assert_int_equal(f.broker.removes, 0);

    session_release(session);
    advance(&f, COOLDOWN_MS - 1);
    assert_int_equal(f.broker.removes, 0);
    advance(&f, 1);
    assert_int_equal(f.broker.removes, 1);
    fake_broker_reap(session);
    pool_destroy(f.pool);
}

static void the_eleventh_session_is_refused(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 5);
    char identifier[16];
    for (int i = 0; i < 10; i++) {
        snprintf(identifier, sizeof identifier, "demo-%d", i);
        obtain(&f, identifier);
    }

    struct error err = {0};
    struct session *session = NULL;
    bool is_new;
    assert_int_equal(pool_obtain_session(f.pool, "demo-10", &session, &is_new, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_null(session);
    obtain(&f, "demo-9"); /* the ones there are still answer */
    assert_int_equal(f.pool->allocated_count, 10);
    pool_destroy(f.pool);
}

static void a_removed_session_makes_room_at_once(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 1, 0);
    struct session *first = obtain_running(&f, "demo-1");
    pool_remove_session(first);
    struct session *second = obtain(&f, "demo-1");
    assert_ptr_not_equal(first, second);
    fake_broker_reap(first);
    assert_ptr_equal(pool_find_session(f.pool, "demo-1"), second);
    pool_destroy(f.pool);
}

static void ready_instances_are_made_and_replaced(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 5);
    assert_int_equal(f.broker.starts, 5);
    assert_false(f.pool->settled);
    for (unsigned i = 0; i < 5; i++)
        fake_broker_bring_up(f.broker.started[i]);
    assert_true(f.pool->settled);
    assert_int_equal(f.broker.stores, 5);

    struct session *session = obtain(&f, "demo-1");
    assert_int_equal(session->state, SESSION_IDLE);
    assert_int_equal(f.broker.stores, 6); /* the broker learns whose it is now */
    assert_int_equal(f.broker.starts, 5); /* the request comes first */
    advance(&f, POOL_REPLACE_MS);
    assert_int_equal(f.broker.starts, 6);
    assert_int_equal(f.pool->ready_count, 5);
    pool_destroy(f.pool);
}

static void ready_and_allocated_never_pass_the_maximum(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 6, 5);
    char identifier[16];
    for (int i = 0; i < 6; i++) {
        snprintf(identifier, sizeof identifier, "demo-%d", i);
        obtain(&f, identifier);
        advance(&f, POOL_REPLACE_MS);
        assert_true(f.pool->ready_count + f.pool->allocated_count <= 6);
    }
    assert_int_equal(f.broker.starts, 6);
    assert_int_equal(f.pool->ready_count, 0);

    pool_remove_session(pool_find_session(f.pool, "demo-0"));
    assert_int_equal(f.pool->ready_count, 1);
    fake_broker_reap(f.broker.started[0]);
    pool_destroy(f.pool);
}

static void an_instance_that_is_ready_is_preferred(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 3);
    fake_broker_bring_up(f.broker.started[2]);
    assert_ptr_equal(obtain(&f, "demo-1"), f.broker.started[2]);
    pool_destroy(f.pool);
}

static void a_ready_instance_that_fails_is_tried_again_later(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 1);
    struct error why;
    error_set(&why, ERROR_SYSTEM, "no memory");
    session_on_ended(f.broker.started[0], &why);
    assert_int_equal(f.broker.starts, 1);

    advance(&f, POOL_RETRY_MS - 1);
    assert_int_equal(f.broker.starts, 1);
    advance(&f, 1);
    assert_int_equal(f.broker.starts, 2);

    session_on_ended(f.broker.started[1], &why);
    advance(&f, POOL_RETRY_MS);
    assert_int_equal(f.broker.starts, 2);
    advance(&f, POOL_RETRY_MS);
    assert_int_equal(f.broker.starts, 3);
    pool_destroy(f.pool);
}

static void executions_of_a_session_run_one_after_the_other(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain(&f, "demo-1");
    struct probe first = probe_create(), second = probe_create();
    enqueue(session, &first);
    enqueue(session, &second);
    session_on_started(session);
    assert_int_equal(first.turns, 0); /* there is no interpreter yet */

    session_on_interpreter_idle(session);
    assert_int_equal(first.turns, 1);
    assert_int_equal(second.turns, 0);
    session_on_interpreter_idle(session);
    assert_int_equal(second.turns, 1);
    session_on_interpreter_idle(session);
    assert_int_equal(session->holds, 0);
    assert_int_equal(session->state, SESSION_IDLE);
    pool_destroy(f.pool);
}

static void the_queue_of_a_session_is_bounded(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain(&f, "demo-1");
    struct probe probes[SESSION_QUEUE_MAX + 1];
    for (int i = 0; i < SESSION_QUEUE_MAX; i++) {
        probes[i] = probe_create();
        enqueue(session, &probes[i]);
    }
    struct error err = {0};
    probes[SESSION_QUEUE_MAX] = probe_create();
    struct work *last = &probes[SESSION_QUEUE_MAX].work;
    assert_int_equal(session_enqueue_execution(session, last, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    pool_destroy(f.pool);
}

static void a_transfer_waits_for_the_shell_only(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain(&f, "demo-1");
    struct probe transfer = probe_create();
    transfer.work.self = &transfer;
    session_enqueue_transfer(session, &transfer.work);
    assert_int_equal(transfer.turns, 0);
    session_on_started(session);
    assert_int_equal(transfer.turns, 1);
    assert_int_equal(session->holds, 1);
    session_release(session);
    pool_destroy(f.pool);
}

static void a_waiting_execution_can_be_withdrawn(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct probe first = probe_create(), second = probe_create(), third = probe_create();
    enqueue(session, &first);
    enqueue(session, &second);
    enqueue(session, &third);
    unsigned holds = session->holds;
    session_withdraw_execution(session, &second.work);
    assert_int_equal(session->holds, holds - 1);
    session_withdraw_execution(session, &first.work); /* has its turn */
    assert_int_equal(session->holds, holds - 1);
    session_on_interpreter_idle(session);
    session_on_interpreter_idle(session);
    assert_int_equal(second.turns + second.losses, 0);
    assert_int_equal(third.turns, 1);
    pool_destroy(f.pool);
}

static void a_dead_interpreter_is_replaced_and_the_queue_goes_on(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct probe first = probe_create(), second = probe_create();
    enqueue(session, &first);
    enqueue(session, &second);

    struct error why;
    error_set(&why, ERROR_SYSTEM, "killed");
    session_on_interpreter_gone(session, &why);
    assert_int_equal(session->state, SESSION_RECOVERING);
    assert_int_equal(f.broker.joins, 1);
    assert_int_equal(second.losses, 0);

    session_on_interpreter_idle(session);
    assert_int_equal(second.turns, 1);
    pool_destroy(f.pool);
}

static void interpreters_that_die_before_they_are_ready_end_the_attempts(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct error why;
    error_set(&why, ERROR_SYSTEM, "killed");
    session_on_interpreter_gone(session, &why);
    session_on_interpreter_gone(session, &why);
    assert_int_equal(f.broker.joins, 1); /* nobody waits: no further attempt */

    struct probe first = probe_create(), second = probe_create();
    enqueue(session, &first);
    enqueue(session, &second);
    assert_int_equal(f.broker.joins, 2);
    session_on_interpreter_gone(session, &why);
    assert_int_equal(first.losses, 1);
    assert_string_equal(first.message, "killed");
    assert_int_equal(f.broker.joins, 3);

    session_on_interpreter_idle(session);
    assert_int_equal(second.turns, 1);
    pool_destroy(f.pool);
}

static void removal_loses_what_waits_and_frees_after_the_last_hold(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct probe running = probe_create(), waiting = probe_create();
    enqueue(session, &running);
    enqueue(session, &waiting);
    session_hold(session); /* an upload under way */

    pool_remove_session(session);
    assert_int_equal(waiting.losses, 1);
    assert_int_equal(running.losses, 0); /* its own turn ends with the interpreter */
    assert_true(session_has_ended(session));
    fake_broker_reap(session);
    assert_int_equal(session->state, SESSION_ENDED);
    session_release(session); /* the upload: now it is freed */
    pool_destroy(f.pool);
}

static void a_session_removed_while_it_starts_is_removed_when_it_has_started(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain(&f, "demo-1");
    pool_remove_session(session);
    assert_int_equal(f.broker.removes, 0);
    session_on_started(session);
    assert_int_equal(f.broker.removes, 1);
    fake_broker_reap(session);
    pool_destroy(f.pool);
}

static void an_adopted_session_counts_and_is_busy_until_its_interpreter_answers(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct error err = {0};
    pool_with(&f, 1, 0);
    struct session *session = pool_adopt_session(f.pool, "demo-1", &(struct session_record){0});
    struct probe execution = probe_create();
    enqueue(session, &execution);
    assert_int_equal(execution.turns, 0);

    struct session *other = NULL;
    bool is_new;
    assert_int_equal(pool_obtain_session(f.pool, "demo-2", &other, &is_new, &err), -1);
    session_on_interpreter_idle(session);
    assert_int_equal(execution.turns, 1);
    pool_destroy(f.pool);
}

static void sessions_are_listed_in_the_order_of_their_creation(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 1);
    for (char identifier[] = "demo-0"; identifier[5] <= '6'; identifier[5]++)
        obtain(&f, identifier);
    obtain(&f, "demo-3"); /* use changes nothing */
    struct session *removed = pool_find_session(f.pool, "demo-1");
    pool_remove_session(removed);

    size_t count;
    struct session **sessions = pool_list_sessions(f.pool, &count);
    char listed[16] = "";
    for (size_t i = 0; i < count; i++)
        strcat(listed, sessions[i]->identifier + 5);
    assert_string_equal(listed, "023456");
    free(sessions);
    fake_broker_reap(removed);
    pool_destroy(f.pool);
}

static void a_session_tells_when_it_was_made_and_used_and_expires(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct probe execution = probe_create();
    advance(&f, 5000);
    assert_int_equal(pool_expiry_of_session(session), 1000 + COOLDOWN_MS);
    enqueue(session, &execution);
    advance(&f, 7000);
    assert_int_equal(session->record.used_at_ms, 6000);
    assert_int_equal(pool_expiry_of_session(session), 13000 + COOLDOWN_MS);

    session_on_interpreter_idle(session);
    advance(&f, 1);
    assert_int_equal(session->record.created_at_ms, 1000);
    assert_int_equal(session->record.used_at_ms, 13000);
    assert_int_equal(pool_expiry_of_session(session), 13000 + COOLDOWN_MS);
    pool_destroy(f.pool);
}

static void the_broker_hears_of_use_once_in_a_while(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    obtain_running(&f, "demo-1");
    assert_int_equal(f.broker.stores, 1);
    for (int i = 0; i < 9; i++) {
        advance(&f, POOL_STORE_MS / 10);
        obtain(&f, "demo-1");
    }
    assert_int_equal(f.broker.stores, 1);
    advance(&f, POOL_STORE_MS / 10);
    obtain(&f, "demo-1");
    assert_int_equal(f.broker.stores, 2);
    pool_destroy(f.pool);
}

static struct session *adopt(struct fixture *f, const char *identifier, uint64_t order,
                             int64_t used_at_ms)
{
    struct session_record record = {order, 500, used_at_ms};
    return pool_adopt_session(f->pool, identifier, &record);
}

static void adopted_sessions_expire_when_they_would_have(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 10, 0);
    f.clock.time_ms = COOLDOWN_MS;
    struct session *third = adopt(&f, "demo-3", 3, COOLDOWN_MS - 1000);
    adopt(&f, "demo-1", 1, 100); /* its time is almost up: it gets POOL_ADOPTED_MS */
    adopt(&f, "demo-2", 2, COOLDOWN_MS / 2);
    struct session *next = obtain_running(&f, "demo-4");
    assert_int_equal(next->record.order, 4);
    session_on_interpreter_idle(third); /* nobody used it */
    assert_int_equal(third->record.used_at_ms, COOLDOWN_MS - 1000);

    static const struct {
        int64_t at_ms;
        const char *identifier;
    } ends[] = {
        {COOLDOWN_MS + POOL_ADOPTED_MS, "demo-1"},
        {COOLDOWN_MS + COOLDOWN_MS / 2, "demo-2"},
        {2 * COOLDOWN_MS - 1000, "demo-3"},
        {2 * COOLDOWN_MS, "demo-4"},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        advance(&f, ends[i].at_ms - 1 - f.clock.time_ms);
        assert_non_null(pool_find_session(f.pool, ends[i].identifier));
        advance(&f, 1);
        assert_null(pool_find_session(f.pool, ends[i].identifier));
        fake_broker_reap(f.broker.last_removed);
    }
    pool_destroy(f.pool);
}

static void a_closed_pool_gives_up_every_session_and_takes_no_new_ones(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct error err = {0};
    pool_with(&f, 4, 1);
    struct session *ready = f.broker.started[0];
    fake_broker_bring_up(ready);
    struct session *busy = obtain_running(&f, "demo-1");
    assert_ptr_equal(busy, ready);
    advance(&f, POOL_REPLACE_MS);
    struct session *starting = f.broker.started[1];
    struct probe running = probe_create(), waiting = probe_create();
    enqueue(busy, &running);
    enqueue(busy, &waiting);

    pool_close(f.pool);
    assert_int_equal(waiting.losses, 1);
    assert_int_equal(f.pool->session_count, 2);
    struct session *other = NULL;
    bool is_new;
    assert_int_equal(pool_obtain_session(f.pool, "demo-2", &other, &is_new, &err), -1);
    assert_int_equal(err.code, ERROR_MISSING);

    session_on_started(starting);
    fake_broker_reap(starting);
    assert_int_equal(f.pool->session_count, 1);
    session_hold(busy); /* an answer under way */
    fake_broker_reap(busy);
    assert_int_equal(f.pool->session_count, 1);
    f.broker.wake_at_ms = -1;
    session_release(busy);
    assert_int_equal(f.pool->session_count, 0);
    assert_int_equal(f.broker.wake_at_ms, f.clock.time_ms);
    assert_int_equal(f.broker.starts, 2);
    pool_destroy(f.pool);
}

static void a_shorter_cooldown_counts_at_once_and_keeps_the_order(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 4, 0);
    struct session *first = obtain_running(&f, "demo-1");
    advance(&f, 1000);
    struct session *second = obtain_running(&f, "demo-2");
    struct pool_settings settings = f.pool->settings;
    settings.cooldown_ms = 5000;
    settings.max_concurrent_sessions = 1;
    pool_update(f.pool, &settings);
    assert_non_null(pool_find_session(f.pool, "demo-1")); /* none is taken away */
    advance(&f, 4000);
    assert_null(pool_find_session(f.pool, "demo-1"));
    assert_non_null(pool_find_session(f.pool, "demo-2"));
    advance(&f, 1000);
    assert_null(pool_find_session(f.pool, "demo-2"));
    fake_broker_reap(first);
    fake_broker_reap(second);
    pool_destroy(f.pool);
}

static void ready_instances_get_new_limits(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 4, 2);
    struct pool_settings settings = f.pool->settings;
    settings.session_tasks++;
    pool_update(f.pool, &settings);
    assert_int_equal(f.broker.starts, 4);
    assert_int_equal(f.pool->ready_count, 2);
    settings.ready_session_instances = 1;
    pool_update(f.pool, &settings);
    assert_int_equal(f.broker.starts, 4);
    assert_int_equal(f.pool->ready_count, 1);
    settings.start_exec = true;
    pool_update(f.pool, &settings);
    assert_int_equal(f.broker.starts, 5);
    for (unsigned i = 0; i < 4; i++) {
        session_on_started(f.broker.started[i]);
        fake_broker_reap(f.broker.started[i]);
    }
    pool_destroy(f.pool);
}

static void a_pool_that_grows_still_finds_its_sessions(void **state)
{
    (void)state;
    struct fixture f = {0};
    pool_with(&f, 1, 0);
    struct session *session = obtain_running(&f, "demo-1");
    struct pool_settings settings = f.pool->settings;
    settings.max_concurrent_sessions = 1000;
    pool_update(f.pool, &settings);
    assert_ptr_equal(pool_find_session(f.pool, "demo-1"), session);
    obtain_running(&f, "demo-2");
    pool_destroy(f.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_removed_after_its_cooldown),
        cmocka_unit_test(every_call_restarts_the_cooldown),
        cmocka_unit_test(a_session_does_not_expire_while_it_works),
        cmocka_unit_test(the_eleventh_session_is_refused),
        cmocka_unit_test(a_removed_session_makes_room_at_once),
        cmocka_unit_test(ready_instances_are_made_and_replaced),
        cmocka_unit_test(ready_and_allocated_never_pass_the_maximum),
        cmocka_unit_test(an_instance_that_is_ready_is_preferred),
        cmocka_unit_test(a_ready_instance_that_fails_is_tried_again_later),
        cmocka_unit_test(executions_of_a_session_run_one_after_the_other),
        cmocka_unit_test(the_queue_of_a_session_is_bounded),
        cmocka_unit_test(a_transfer_waits_for_the_shell_only),
        cmocka_unit_test(a_waiting_execution_can_be_withdrawn),
        cmocka_unit_test(a_dead_interpreter_is_replaced_and_the_queue_goes_on),
        cmocka_unit_test(interpreters_that_die_before_they_are_ready_end_the_attempts),
        cmocka_unit_test(removal_loses_what_waits_and_frees_after_the_last_hold),
        cmocka_unit_test(a_session_removed_while_it_starts_is_removed_when_it_has_started),
        cmocka_unit_test(sessions_are_listed_in_the_order_of_their_creation),
        cmocka_unit_test(a_session_tells_when_it_was_made_and_used_and_expires),
        cmocka_unit_test(the_broker_hears_of_use_once_in_a_while),
        cmocka_unit_test(adopted_sessions_expire_when_they_would_have),
        cmocka_unit_test(a_closed_pool_gives_up_every_session_and_takes_no_new_ones),
        cmocka_unit_test(a_shorter_cooldown_counts_at_once_and_keeps_the_order),
        cmocka_unit_test(ready_instances_get_new_limits),
        cmocka_unit_test(a_pool_that_grows_still_finds_its_sessions),
        cmocka_unit_test(an_adopted_session_counts_and_is_busy_until_its_interpreter_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
