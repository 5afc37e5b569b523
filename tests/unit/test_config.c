#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/api/config.h"
#include "sandboxd/resource/policy_names.h"

static int read_text(const char *text, struct config *config, struct error *err)
{
    return config_read(text, strlen(text), config, err);
}

/* One pool whose properties and sandpool members are these. */
static int read_pool_text(const char *properties, const char *sandpool, struct config *config,
                          struct error *err)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"pools\":[{\"name\":\"demo\",\"properties\":{%s},\"sandpool\":{%s}}]}", properties,
             sandpool);
    return read_text(text, config, err);
}

static void without_a_file_there_is_one_pool_with_the_documented_limits(void **state)
{
    (void)state;
    struct config config;
    config_set_defaults(&config);
    const struct pool_settings *pool = &config.pools[0].settings;
    assert_int_equal(config.pool_count, 1);
    assert_string_equal(pool->name, "default");
    assert_int_equal(pool->max_concurrent_sessions, 10);
    assert_int_equal(pool->ready_session_instances, 5);
    assert_int_equal(pool->cooldown_ms, 300000);
    assert_int_equal(pool->execution_timeout_ms, 220000);
    assert_int_equal(pool->session_memory_bytes, 1073741824);
    assert_int_equal(pool->data_bytes, 536870912);
    assert_int_equal(pool->data_inodes, 20000);
    assert_int_equal(pool->session_tasks, 256);
    assert_int_equal(pool->cpu_percent, 100);
    assert_false(pool->start_exec);
    assert_true(pool->preload);
    config_clear(&config);
}

static void both_forms_of_the_cooldown_are_read(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "\"dynamicPoolConfiguration\":{\"executionType\":\"Timed\",\"cooldownPeriodInSeconds\":"
        "600}",
        "\"dynamicPoolConfiguration\":{\"cooldownPeriodInSeconds\":\"600\"}",
        "\"dynamicPoolConfiguration\":{\"coolDownPeriodInSeconds\":600}",
        "\"dynamicPoolConfiguration\":{\"lifecycleConfiguration\":{\"lifecycleType\":\"timed\","
        "\"maxAlivePeriodInSeconds\":null,\"cooldownPeriodInSeconds\":600}}",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct config config;
        struct error err = {0};
        assert_int_equal(read_pool_text(forms[i], "", &config, &err), 0);
        assert_int_equal(config.pools[0].settings.cooldown_ms, 600000);
        config_clear(&config);
    }
}

static void nulls_and_unknown_azure_members_are_accepted(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    assert_int_equal(
        read_pool_text("\"environmentId\":null,\"scaleConfiguration\":null,"
                       "\"containerType\":\"PythonLTS\",\"secrets\":[],"
                       "\"sessionNetworkConfiguration\":{\"status\":\"EgressDisabled\"},"
                       "\"dynamicPoolConfiguration\":null",
                       "\"image\":\"host\",\"policy\":\"python\",\"start\":\"fork\"", &config,
                       &err),
        0);
    assert_int_equal(config.pools[0].settings.max_concurrent_sessions, 10);
    config_clear(&config);
}

static void a_pool_chooses_one_of_the_policies_there_are(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    policy_names_set("python strict");
    assert_int_equal(read_pool_text("", "\"policy\":\"strict\"", &config, &err), 0);
    assert_int_equal(config.pools[0].settings.policy, 1);
    config_clear(&config);
    assert_int_equal(read_pool_text("", "\"policy\":\"stric\"", &config, &err), -1);
    assert_int_equal(err.code, ERROR_DENIED);
    assert_string_equal(err.message, "pools[0].sandpool.policy: there is no policy \"stric\"; "
                                     "there are: python strict");
    policy_names_set("");
}

static void limits_are_settings(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    assert_int_equal(
        read_pool_text("\"scaleConfiguration\":{\"maxConcurrentSessions\":3}",
                       "\"executionTimeoutSeconds\":2,\"cooldownSeconds\":1,"
                       "\"sessionMemoryBytes\":67108864,\"sessionTasks\":16,\"cpuPercent\":50,"
                       "\"dataBytes\":1048576,\"dataInodes\":100",
                       &config, &err),
        0);
    const struct pool_settings *pool = &config.pools[0].settings;
    assert_int_equal(pool->max_concurrent_sessions, 3);
    assert_int_equal(pool->ready_session_instances, 3); /* never more than fit */
    assert_int_equal(pool->execution_timeout_ms, 2000);
    assert_int_equal(pool->cooldown_ms, 1000);
    assert_int_equal(pool->session_memory_bytes, 67108864);
    assert_int_equal(pool->session_tasks, 16);
    assert_int_equal(pool->cpu_percent, 50);
    assert_int_equal(pool->data_bytes, 1048576);
    assert_int_equal(pool->data_inodes, 100);
    config_clear(&config);
}

static void how_interpreters_start_is_a_setting(void **state)
{
    (void)state;
    static const struct {
        const char *sandpool;
        bool start_exec, preload;
    } cases[] = {
        {"\"start\":\"fork\"", false, true},
        {"\"start\":\"fork\",\"preload\":true", false, true},
        {"\"start\":\"exec\"", true, true},
        {"\"start\":\"exec\",\"preload\":false", true, false},
        {"\"start\":null,\"preload\":null", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error err = {0};
        assert_int_equal(read_pool_text("", cases[i].sandpool, &config, &err), 0);
        assert_int_equal(config.pools[0].settings.start_exec, cases[i].start_exec);
        assert_int_equal(config.pools[0].settings.preload, cases[i].preload);
        config_clear(&config);
    }
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *properties, *sandpool, *named;
    } cases[] = {
        {"\"scaleConfiguration\":{\"maxConcurrentSessions\":0}", "",
         "pools[0].properties.scaleConfiguration.maxConcurrentSessions"},
        {"\"scaleConfiguration\":{\"maxConcurrentSessions\":2,\"readySessionInstances\":3}", "",
         "pools[0].properties.scaleConfiguration.readySessionInstances"},
        {"\"dynamicPoolConfiguration\":{\"cooldownPeriodInSeconds\":299}", "",
         "pools[0].properties.dynamicPoolConfiguration.cooldownPeriodInSeconds"},
        {"\"dynamicPoolConfiguration\":{\"cooldownPeriodInSeconds\":3601}", "", "300 to 3600"},
        {"\"dynamicPoolConfiguration\":{\"executionType\":\"OnContainerExit\"}", "",
         "pools[0].properties.dynamicPoolConfiguration.executionType"},
        {"\"dynamicPoolConfiguration\":{\"lifecycleConfiguration\":{\"lifecycleType\":"
         "\"OnContainerExit\"}}",
         "", "lifecycleConfiguration.lifecycleType"},
        {"\"containerType\":\"CustomContainer\"", "", "pools[0].properties.containerType"},
        {"\"sessionNetworkConfiguration\":{\"status\":\"Open\"}", "",
         "pools[0].properties.sessionNetworkConfiguration.status"},
        {"", "\"colour\":\"red\"", "pools[0].sandpool.colour"},
        {"", "\"start\":\"spawn\"", "pools[0].sandpool.start"},
        {"", "\"start\":1", "pools[0].sandpool.start"},
        {"", "\"preload\":false", "pools[0].sandpool.preload"},
        {"", "\"start\":\"exec\",\"preload\":[]", "pools[0].sandpool.preload"},
        {"", "\"image\":\"alpine\"", "pools[0].sandpool.image"},
        {"", "\"executionTimeoutSeconds\":221", "pools[0].sandpool.executionTimeoutSeconds"},
        {"", "\"executionTimeoutSeconds\":0", "pools[0].sandpool.executionTimeoutSeconds"},
        {"", "\"sessionMemoryBytes\":1", "pools[0].sandpool.sessionMemoryBytes"},
        {"", "\"dataBytes\":\"much\"", "pools[0].sandpool.dataBytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error err = {0};
        assert_int_equal(read_pool_text(cases[i].properties, cases[i].sandpool, &config, &err), -1);
        print_message("%s\n", err.message);
        assert_non_null(strstr(err.message, cases[i].named));
    }
}

#define ID(group) "/subscriptions/s/resourceGroups/" group "/providers/Microsoft.App/sessionPools/p"

static void pools_of_one_name_may_be_in_several_groups(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    assert_int_equal(
        read_text("{\"pools\":[{\"id\":\"" ID("g1") "\"},{\"id\":\"" ID("g2") "\"},"
                                                                              "{\"name\":\"p\"}]}",
                  &config, &err),
        0);
    assert_int_equal(config.pool_count, 3);
    assert_string_equal(config.pools[1].settings.key, ID("g2"));
    assert_string_equal(config.pools[2].settings.key, "p");
    config_clear(&config);

    assert_int_equal(read_text("{\"pools\":[{\"id\":\"" ID("g1") "\"},{\"id\":\"" ID("G1") "\"}]}",
                               &config, &err),
                     -1);
}

static void documents_that_are_no_configuration_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{\"pools\":[]}",
        "{\"pools\":{}}",
        "{\"pools\":[1]}",
        "{\"pools\":[{}]}",
        "{\"pools\":[{\"name\":\"a b\"}]}",
        "{\"pools\":[{\"name\":\"a\"},{\"name\":\"A\"}]}",
        "{\"pools\":[{\"name\":\"a\"}],\"more\":1}",
        "{\"pools\":[{\"name\":\"a\",\"properties\":{\"scaleConfiguration\":"
        "{\"maxConcurrentSessions\":15000}}},{\"name\":\"b\",\"properties\":"
        "{\"scaleConfiguration\":{\"maxConcurrentSessions\":15000}}}]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config config;
        struct error err = {0};
        assert_int_equal(read_text(texts[i], &config, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_is_one_pool_with_the_documented_limits),
        cmocka_unit_test(both_forms_of_the_cooldown_are_read),
        cmocka_unit_test(nulls_and_unknown_azure_members_are_accepted),
        cmocka_unit_test(a_pool_chooses_one_of_the_policies_there_are),
        cmocka_unit_test(limits_are_settings),
        cmocka_unit_test(how_interpreters_start_is_a_setting),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(pools_of_one_name_may_be_in_several_groups),
        cmocka_unit_test(documents_that_are_no_configuration_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
