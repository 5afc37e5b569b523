#include "sandboxd/api/front_pools.h"

#include "base/core/loop.h"
#include "tests/support/fake_broker.h"
#include "tests/support/state_directory.h"

struct fixture {
    void *directory;
    struct loop *loop;
    struct fake_broker broker;
    struct front_pools pools;
};

static void on_wake(void *self, struct pool *pool, int64_t at_ms)
{
    (void)self;
    front_pool_wake_at(front_pool_of(pool), at_ms);
}

static int open_pools(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err = {0};
    if (state_directory_open(&f->directory) < 0)
        return -1;
    f->loop = loop_create(clock_system(), &err);
    struct pool_broker seam = fake_broker_seam(&f->broker);
    seam.wake = on_wake;
    front_pools_open(&f->pools, f->loop, &seam, ((struct state_directory *)f->directory)->fd);
    *state = f;
    return 0;
}

static int close_pools(void **state)
{
    struct fixture *f = *state;
    front_pools_close(&f->pools);
    loop_destroy(f->loop);
    int result = state_directory_close(&f->directory);
    free(f);
    return result;
}

static void pass_time(struct fixture *f)
{
    struct error err = {0};
    assert_true(loop_run_once(f->loop, 5, &err) >= 0);
}

static struct pool_resource resource_of(const char *subscription, const char *group,
                                        const char *name)
{
    struct resource_id id;
    struct error err = {0};
    assert_int_equal(resource_id_set(subscription, group, name, &id, &err), 0);
    struct pool_resource resource = pool_resource_default(&id);
    resource.settings.ready_session_instances = 0;
    return resource;
}

static struct front_pool *configure(struct fixture *f, const char *subscription, const char *group,
                                    const char *name)
{
    struct front_pool *entry = NULL;
    struct error err = {0};
    struct pool_resource resource = resource_of(subscription, group, name);
    assert_int_equal(front_pools_add(&f->pools, &resource, true, &entry, &err), 0);
    return entry;
}

static struct front_pool *create(struct fixture *f, const char *group, const char *name)
{
    struct front_pool *entry = NULL;
    struct error err = {0};
    struct pool_resource resource = resource_of("s", group, name);
    if (front_pools_create(&f->pools, &resource, &entry, &err) < 0)
        fail_msg("%s", err.message);
    return entry;
}

static struct session *obtain(struct front_pool *entry, const char *identifier)
{
    struct session *session = NULL;
    struct error err = {0};
    bool is_new;
    assert_int_equal(pool_obtain_session(entry->pool, identifier, &session, &is_new, &err), 0);
    fake_broker_bring_up(session);
    return session;
}

static void the_exact_pool_comes_before_one_of_any_group(void **state)
{
    struct fixture *f = *state;
    struct front_pool *first = configure(f, NULL, NULL, "first");
    struct front_pool *any = configure(f, NULL, NULL, "p");
    struct front_pool *one = create(f, "g1", "p");
    struct front_pool *q1 = create(f, "g1", "q");
    assert_ptr_equal(front_pools_find(&f->pools, "S", "G1", "P"), one);
    assert_ptr_equal(front_pools_find(&f->pools, "s", "g2", "p"), any);
    assert_ptr_equal(front_pools_find(&f->pools, NULL, NULL, "p"), any);
    assert_ptr_equal(front_pools_find(&f->pools, NULL, NULL, "q"), q1);
    assert_null(front_pools_find(&f->pools, "s", "g2", "q"));
    assert_ptr_equal(front_pools_find(&f->pools, NULL, NULL, NULL), first);
    create(f, "g2", "q");
    assert_null(front_pools_find(&f->pools, NULL, NULL, "q")); /* which one? */
    create(f, "g1", "default");
    assert_ptr_equal(front_pools_find(&f->pools, NULL, NULL, NULL), first);
    struct front_pool *own = configure(f, NULL, NULL, "default");
    assert_ptr_equal(front_pools_find(&f->pools, NULL, NULL, NULL), own);
}

static void a_deleted_pool_is_freed_after_its_last_session_and_request(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    configure(f, NULL, NULL, "default");
    struct front_pool *entry = create(f, "g", "p");
    struct session *session = obtain(entry, "demo-1");
    front_pool_hold(entry);
    assert_int_equal(front_pools_delete(entry, &err), 0);
    assert_null(front_pools_find(&f->pools, "s", "g", "p"));
    assert_null(front_pools_find_key(&f->pools, entry->pool->settings.key));
    pass_time(f);
    assert_int_equal(f->pools.count, 2);

    fake_broker_reap(session);
    pass_time(f);
    assert_int_equal(f->pools.count, 2);
    front_pool_release(entry);
    assert_int_equal(f->pools.count, 2); /* its callers are still there */
    pass_time(f);
    assert_int_equal(f->pools.count, 1);
}

static void a_name_is_free_while_its_last_pool_goes(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    configure(f, NULL, NULL, "default");
    struct front_pool *old = create(f, "g", "p");
    struct session *session = obtain(old, "demo-1");
    assert_int_equal(front_pools_delete(old, &err), 0);
    struct front_pool *fresh = create(f, "g", "p");
    assert_ptr_equal(front_pools_find(&f->pools, "s", "g", "p"), fresh);
    assert_null(pool_find_session(fresh->pool, "demo-1"));
    fake_broker_reap(session);
    pass_time(f);
    assert_int_equal(f->pools.count, 2);
}

static void pools_and_their_sessions_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct front_pool *entry = NULL;
    configure(f, NULL, NULL, "default");
    struct pool_resource large = resource_of("s", "g", "large");
    large.settings.max_concurrent_sessions = FRONT_POOL_SESSIONS_MAX + 1;
    assert_int_equal(front_pools_create(&f->pools, &large, &entry, &err), -1);
    assert_error(err, ERROR_LIMIT, "maxConcurrentSessions");
    struct pool_resource greedy = resource_of("s", "g", "greedy");
    greedy.settings.session_tasks++;
    assert_int_equal(front_pools_create(&f->pools, &greedy, &entry, &err), -1);
    assert_error(err, ERROR_LIMIT, "sessionTasks");
    for (int i = 1; i < FRONT_POOLS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "p-%d", i);
        entry = create(f, "g", name);
    }
    struct pool_resource more = resource_of("s", "g", "more");
    assert_int_equal(front_pools_create(&f->pools, &more, &entry, &err), -1);
    assert_error(err, ERROR_LIMIT, "64");
    assert_int_equal(front_pools_delete(entry, &err), 0);
    create(f, "g", "more");
}

static void private_addresses_are_for_the_configuration_to_give(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct front_pool *entry = NULL;
    configure(f, NULL, NULL, "default");
    const struct pool_egress public_range = {true, true, 1, {{0xcb007100, 24}}};
    const struct pool_egress private_range = {true, true, 1, {{0x0a010100, 24}}};

    struct pool_resource resource = resource_of("s", "g", "public");
    resource.settings.egress = public_range;
    assert_int_equal(front_pools_create(&f->pools, &resource, &entry, &err), 0);
    resource = resource_of("s", "g", "private");
    resource.settings.egress = private_range;
    assert_int_equal(front_pools_create(&f->pools, &resource, &entry, &err), -1);
    assert_error(err, ERROR_LIMIT, "egressAllow[0]");

    struct pool_resource giving = resource_of(NULL, NULL, "giving");
    giving.settings.egress = (struct pool_egress){true, true, 1, {{0x0a010000, 16}}};
    assert_int_equal(front_pools_add(&f->pools, &giving, true, NULL, &err), 0);
    resource = resource_of("s", "g", "private");
    resource.settings.egress = private_range;
    assert_int_equal(front_pools_create(&f->pools, &resource, &entry, &err), 0);
}

static void a_machine_without_the_device_has_no_egress(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct front_pool *entry = NULL;
    f->pools.no_egress = "there is no /dev/net/tun";
    struct pool_resource resource = resource_of(NULL, NULL, "default");
    resource.settings.egress.enabled = true;
    assert_int_equal(front_pools_add(&f->pools, &resource, true, &entry, &err), -1);
    assert_error(err, ERROR_LIMIT, "sessionNetworkConfiguration.status");
    assert_error(err, ERROR_LIMIT, "/dev/net/tun");
}

static void a_pool_of_the_configuration_may_give_more_to_others(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct front_pool *entry = NULL;
    struct pool_resource own = resource_of(NULL, NULL, "default");
    own.settings.session_tasks = 1000;
    assert_int_equal(front_pools_add(&f->pools, &own, true, NULL, &err), 0);
    struct pool_resource other = resource_of("s", "g", "p");
    other.settings.session_tasks = 1000;
    assert_int_equal(front_pools_create(&f->pools, &other, &entry, &err), 0);
}

static void what_was_made_is_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct front_pools later;
    int fd = ((struct state_directory *)f->directory)->fd;
    configure(f, NULL, NULL, "default");
    struct front_pool *entry = create(f, "g", "p");
    struct pool_resource changed = resource_of("s", "g", "p");
    changed.settings.max_concurrent_sessions = 3;
    changed.mcp_enabled = true;
    assert_int_equal(front_pools_replace(entry, &changed, &err), 0);
    const char *key = mcp_keys_find(&f->pools.keys, entry->pool->settings.key);
    assert_non_null(key);

    front_pools_open(&later, f->loop, &f->pools.broker, fd);
    front_pools_load(&later);
    assert_int_equal(later.count, 1);
    assert_int_equal(later.items[0]->pool->settings.max_concurrent_sessions, 3);
    assert_int_equal(later.items[0]->resource.created_ms, entry->resource.created_ms);
    assert_string_equal(mcp_keys_find(&later.keys, entry->pool->settings.key), key);
    assert_int_equal(front_pools_delete(later.items[0], &err), 0);
    front_pools_close(&later);

    front_pools_open(&later, f->loop, &f->pools.broker, fd);
    front_pools_load(&later);
    assert_int_equal(later.count, 0);
    front_pools_close(&later);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pools, close_pools)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_exact_pool_comes_before_one_of_any_group),
        TEST(a_deleted_pool_is_freed_after_its_last_session_and_request),
        TEST(a_name_is_free_while_its_last_pool_goes),
        TEST(pools_and_their_sessions_are_bounded),
        TEST(a_pool_of_the_configuration_may_give_more_to_others),
        TEST(private_addresses_are_for_the_configuration_to_give),
        TEST(a_machine_without_the_device_has_no_egress),
        TEST(what_was_made_is_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
