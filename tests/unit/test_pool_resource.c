#include "tests/support/unit.h"

#include "sandboxd/resource/pool_patch.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/pool_writer.h"

#define ID "/subscriptions/s-1/resourceGroups/g(1)/providers/Microsoft.App/sessionPools/p1"

static const struct resource_id id = {"s-1", "g(1)", "p1"};

/* As `az containerapp sessionpool show` printed it, recorded in November 2024. */
static const char shown[] =
    "{\"id\":\"" ID "\",\"name\":\"p1\",\"type\":\"Microsoft.App/sessionpools\","
    "\"location\":\"North Central US (Stage)\",\"resourceGroup\":\"g(1)\","
    "\"systemData\":{\"createdBy\":\"someone\",\"createdByType\":\"User\","
    "\"createdAt\":\"2024-11-11T09:04:44.8040011Z\",\"lastModifiedBy\":null},\"tags\":null,"
    "\"properties\":{\"environmentId\":null,\"poolManagementType\":\"Dynamic\",\"nodeCount\":0,"
    "\"containerType\":\"PythonLTS\",\"scaleConfiguration\":{\"maxConcurrentSessions\":10,"
    "\"readySessionInstances\":null},\"customContainerTemplate\":null,\"secrets\":null,"
    "\"dynamicPoolConfiguration\":{\"executionType\":\"Timed\",\"cooldownPeriodInSeconds\":\"300\","
    "\"lifecycleConfiguration\":null},\"mcpServerSettings\":null,"
    "\"sessionNetworkConfiguration\":{\"status\":\"EgressDisabled\"},"
    "\"provisioningState\":\"Succeeded\",\"poolManagementEndpoint\":"
    "\"https://northcentralusstage.dynamicsessions.io/subscriptions/s-1/resourceGroups/g(1)/"
    "sessionPools/p1\",\"managedIdentitySettings\":[]},"
    "\"identity\":{\"type\":\"None\",\"userAssignedIdentities\":null}}";

/* As the Azure CLI sent it then. */
static const char created[] =
    "{\"location\":\"eastasia\",\"identity\":{\"type\":\"None\",\"userAssignedIdentities\":null},"
    "\"properties\":{\"environmentId\":null,\"poolManagementType\":null,\"containerType\":"
    "\"PythonLTS\",\"scaleConfiguration\":{\"maxConcurrentSessions\":20,\"readySessionInstances\":"
    "null},\"customContainerTemplate\":null,\"secrets\":null,\"dynamicPoolConfiguration\":"
    "{\"executionType\":\"Timed\",\"cooldownPeriodInSeconds\":\"600\"},"
    "\"sessionNetworkConfiguration\":{\"status\":\"EgressDisabled\"},\"managedIdentitySettings\":"
    "null}}";

#define EGRESS_WITH(ranges)                                                                        \
    "{\"properties\":{\"sessionNetworkConfiguration\":{\"status\":\"EgressEnabled\"},"             \
    "\"sandpool\":{\"egressAllow\":" ranges "}}}"

static int read_as(const char *text, const struct resource_id *known,
                   struct pool_resource *resource, struct error *err)
{
    return pool_read_text(text, strlen(text), known, resource, err);
}

static struct pool_resource must_read(const char *text)
{
    struct pool_resource resource = {0};
    struct error err = {0};
    if (read_as(text, &id, &resource, &err) < 0)
        fail_msg("%s", err.message);
    return resource;
}

static void write(const struct pool_resource *resource, const char *version, const char *origin,
                  struct buf *out)
{
    struct error err = {0};
    struct pool_view view = pool_view_of(version, origin, &resource->id);
    struct writer writer = writer_begin(out, false);
    pool_write(resource, &view, NULL, &writer);
    assert_int_equal(writer_finish(&writer, &err), 0);
}

static void what_az_shows_is_a_pool_document(void **state)
{
    (void)state;
    struct pool_resource resource = {0};
    struct error err = {0};
    if (read_as(shown, NULL, &resource, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(resource.id.group, "g(1)");
    assert_string_equal(resource.settings.name, "p1");
    assert_string_equal(resource.settings.key, ID);
    assert_string_equal(resource.location, "North Central US (Stage)");
    assert_int_equal(resource.settings.max_concurrent_sessions, 10);
    assert_int_equal(resource.settings.ready_session_instances, 5);
    assert_int_equal(resource.settings.cooldown_ms, 300000);
    pool_resource_clear(&resource);
}

static void what_the_cli_sends_is_understood(void **state)
{
    (void)state;
    struct pool_resource resource = must_read(created);
    assert_int_equal(resource.settings.max_concurrent_sessions, 20);
    assert_int_equal(resource.settings.cooldown_ms, 600000);
    assert_false(resource.mcp_enabled);
    pool_resource_clear(&resource);
}

static void an_answer_has_the_form_of_its_version(void **state)
{
    (void)state;
    static const char tail[] =
        ",\"sessionNetworkConfiguration\":{\"status\":\"EgressDisabled\"},\"provisioningState\":"
        "\"Succeeded\",\"poolManagementEndpoint\":\"https://h:1/subscriptions/s-1/resourceGroups/"
        "g(1)/sessionPools/p1\",\"managedIdentitySettings\":[]";
    struct pool_resource resource = must_read(created);
    AUTO_BUF struct buf timed = {0}, lifecycle = {0};

    write(&resource, "2024-10-02-preview", "https://h:1", &timed);
    assert_non_null(strstr(timed.data, "\"id\":\"" ID "\",\"name\":\"p1\","
                                       "\"type\":\"Microsoft.App/sessionpools\","
                                       "\"location\":\"eastasia\",\"systemData\":{"));
    assert_non_null(strstr(timed.data, "\"scaleConfiguration\":{\"maxConcurrentSessions\":20},"
                                       "\"dynamicPoolConfiguration\":{\"executionType\":\"Timed\","
                                       "\"cooldownPeriodInSeconds\":600}"));
    assert_non_null(strstr(timed.data, tail));
    assert_null(strstr(timed.data, "mcpServerSettings"));

    write(&resource, "2025-07-01", "https://h:1", &lifecycle);
    assert_non_null(strstr(lifecycle.data,
                           "\"dynamicPoolConfiguration\":{\"lifecycleConfiguration\":"
                           "{\"lifecycleType\":\"Timed\","
                           "\"cooldownPeriodInSeconds\":600}}"));
    assert_non_null(strstr(lifecycle.data, "\"mcpServerSettings\":{\"isMCPServerEnabled\":false}"));
    pool_resource_clear(&resource);
}

static void what_has_no_meaning_here_comes_back(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "\"tags\":{\"team\":\"a\"}",
        "\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"/i\":{}}}",
        "\"secrets\":[{\"name\":\"key\"}]",
        "\"managedIdentitySettings\":[{\"identity\":\"system\",\"lifecycle\":\"Main\"}]",
        "\"sandpool\":{\"cooldownSeconds\":1}",
        "\"mcpServerEndpoint\":\"http://h/subscriptions/s-1/resourceGroups/g(1)/sessionPools/p1/"
        "mcp\"",
    };
    struct pool_resource resource = must_read(
        "{\"tags\":{\"team\":\"a\",\"gone\":null},\"identity\":{\"type\":\"UserAssigned\","
        "\"userAssignedIdentities\":{\"/i\":{\"principalId\":\"p\"}}},\"properties\":{"
        "\"secrets\":[{\"name\":\"key\",\"value\":\"do not tell\"}],"
        "\"managedIdentitySettings\":[{\"identity\":\"system\",\"lifecycle\":\"Main\"}],"
        "\"mcpServerSettings\":{\"isMcpServerEnabled\":true},"
        "\"sandpool\":{\"cooldownSeconds\":1}}}");
    AUTO_BUF struct buf text = {0};
    write(&resource, "2024-10-02-preview", "http://h", &text);
    for (size_t i = 0; i < COUNT(kept); i++) {
        print_message("%s\n", kept[i]);
        assert_non_null(strstr(text.data, kept[i]));
    }
    assert_null(strstr(text.data, "do not tell"));
    assert_int_equal(resource.settings.cooldown_ms, 1000);
    assert_int_equal(resource.cooldown_s, 300);
    pool_resource_clear(&resource);
}

static void what_is_written_reads_as_the_same(void **state)
{
    (void)state;
    static const char *const versions[] = {"2024-02-02-preview", "2026-01-01"};
    for (size_t i = 0; i < COUNT(versions); i++) {
        AUTO_BUF struct buf first = {0}, second = {0};
        struct pool_resource resource = must_read(shown);
        write(&resource, versions[i], NULL, &first);
        pool_resource_clear(&resource);
        resource = must_read(first.data);
        write(&resource, versions[i], NULL, &second);
        pool_resource_clear(&resource);
        assert_string_equal(first.data, second.data);
        assert_null(strstr(first.data, "provisioningState"));
    }
}

static void mistakes_and_what_is_not_served_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum error_code code;
        const char *named;
    } cases[] = {
        {"[]", ERROR_INVALID, "the body"},
        {"{\"name\":\"p2\"}", ERROR_INVALID, "name: is \"p2\""},
        {"{\"type\":\"Microsoft.App/jobs\"}", ERROR_DENIED, "type"},
        {"{\"tags\":{\"a\":1}}", ERROR_INVALID, "tags.a"},
        {"{\"identity\":{\"type\":\"Other\"}}", ERROR_INVALID, "identity.type"},
        {"{\"location\":7}", ERROR_INVALID, "location"},
        {"{\"properties\":{\"containerType\":\"NodeLTS\"}}", ERROR_DENIED,
         "properties.containerType"},
        {"{\"properties\":{\"containerType\":\"Shell\"}}", ERROR_DENIED,
         "properties.containerType"},
        {"{\"properties\":{\"customContainerTemplate\":{}}}", ERROR_DENIED,
         "properties.customContainerTemplate"},
        {"{\"properties\":{\"poolManagementType\":\"Manual\"}}", ERROR_DENIED,
         "properties.poolManagementType"},
        {"{\"properties\":{\"sessionNetworkConfiguration\":{\"status\":\"On\"}}}", ERROR_INVALID,
         "properties.sessionNetworkConfiguration.status"},
        {"{\"sandpool\":{\"egressAllow\":[\"203.0.113.0/24\"]}}", ERROR_INVALID,
         "properties.sessionNetworkConfiguration.status to EgressEnabled"},
        {"{\"sandpool\":{\"egressDns\":true}}", ERROR_INVALID, "sandpool.egressDns"},
        {EGRESS_WITH("[]"), ERROR_INVALID, "sandpool.egressAllow: is empty"},
        {EGRESS_WITH("[\"8.8.8.8\",7]"), ERROR_INVALID, "sandpool.egressAllow[1]: must be"},
        {EGRESS_WITH("[\"127.0.0.1\"]"), ERROR_INVALID, "sandpool.egressAllow[0]"},
        {EGRESS_WITH("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"),
         ERROR_LIMIT, "32 is the most"},
        {"{\"properties\":{\"dynamicPoolConfiguration\":{\"lifecycleConfiguration\":"
         "{\"lifecycleType\":\"OnContainerExit\"}}}}",
         ERROR_DENIED, "lifecycleConfiguration.lifecycleType"},
        {"{\"properties\":{\"scaleConfiguration\":{\"maxConcurrentSessions\":2,"
         "\"readySessionInstances\":3}}}",
         ERROR_LIMIT, "properties.scaleConfiguration.readySessionInstances"},
        {"{\"properties\":{\"mcpServerSettings\":{\"isMCPServerEnabled\":1}}}", ERROR_INVALID,
         "properties.mcpServerSettings.isMCPServerEnabled"},
        {"{\"properties\":{\"secrets\":[{}]}}", ERROR_INVALID, "properties.secrets[0].name"},
        {"{\"properties\":{\"managedIdentitySettings\":[1]}}", ERROR_INVALID,
         "properties.managedIdentitySettings[0]"},
        {"{\"properties\":{\"sandpool\":{\"colour\":1}}}", ERROR_INVALID,
         "properties.sandpool.colour"},
        {"{\"sandpool\":{},\"properties\":{\"sandpool\":{}}}", ERROR_INVALID, "twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pool_resource resource;
        struct error err = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(read_as(cases[i].text, &id, &resource, &err), -1);
        assert_error(err, cases[i].code, cases[i].named);
    }
}

static void an_id_is_taken_apart_in_any_case(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "p1",
        "/subscriptions/s",
        "/subscriptions//resourceGroups/g/providers/Microsoft.App/sessionPools/p",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/jobs/p",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/sessionPools/p/more",
        "/subscriptions/s/resourceGroups/a b/providers/Microsoft.App/sessionPools/p",
    };
    struct resource_id read;
    struct error err = {0};
    assert_int_equal(resource_id_read("/SUBSCRIPTIONS/S-1/resourcegroups/G(1)/Providers/"
                                      "microsoft.app/SessionPools/P1",
                                      &read, &err),
                     0);
    assert_true(resource_id_equal(&read, &id));
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(resource_id_read(wrong[i], &read, &err), -1);
}

static struct pool_resource patched(const char *before, const char *patch)
{
    struct pool_resource resource = must_read(before), after = {0};
    struct error err = {0};
    if (pool_patch(&resource, patch, strlen(patch), &after, &err) < 0)
        fail_msg("%s", err.message);
    pool_resource_clear(&resource);
    return after;
}

static void a_patch_changes_what_it_names_and_null_takes_away(void **state)
{
    (void)state;
    struct pool_resource after = patched(
        "{\"location\":\"x\",\"tags\":{\"a\":\"1\",\"b\":\"2\"},\"properties\":{"
        "\"scaleConfiguration\":{\"maxConcurrentSessions\":7},\"sandpool\":{\"cpuPercent\":50}}}",
        "{\"tags\":{\"a\":null,\"c\":\"3\"},\"properties\":{\"scaleConfiguration\":"
        "{\"readySessionInstances\":2},\"sandpool\":null}}");
    assert_string_equal(after.tags, "{\"b\":\"2\",\"c\":\"3\"}");
    assert_string_equal(after.location, "x");
    assert_int_equal(after.settings.max_concurrent_sessions, 7);
    assert_int_equal(after.settings.ready_session_instances, 2);
    assert_int_equal(after.settings.cpu_percent, 100);
    pool_resource_clear(&after);
}

static void a_patch_may_have_either_form_of_the_cooldown(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "{\"properties\":{\"dynamicPoolConfiguration\":{\"cooldownPeriodInSeconds\":\"900\"}}}",
        "{\"properties\":{\"dynamicPoolConfiguration\":{\"coolDownPeriodInSeconds\":900}}}",
        "{\"properties\":{\"dynamicPoolConfiguration\":{\"lifecycleConfiguration\":"
        "{\"cooldownPeriodInSeconds\":900,\"maxAlivePeriodInSeconds\":null}}}}",
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct pool_resource after = patched(created, forms[i]);
        assert_int_equal(after.cooldown_s, 900);
        assert_int_equal(after.settings.cooldown_ms, 900000);
        pool_resource_clear(&after);
    }
}

static void patches_do_not_add_up_to_more_than_a_body(void **state)
{
    (void)state;
    static char patch[POOL_DOCUMENT_BYTES_MAX];
    struct pool_resource resource = must_read("{\"tags\":{\"a\":\"b\"}}"), after = {0};
    struct error err = {0};
    strcpy(patch, "{\"tags\":{\"b\":\"");
    memset(patch + strlen(patch), 'x', 65000);
    strcat(patch, "\"}}");
    assert_int_equal(pool_patch(&resource, patch, strlen(patch), &after, &err), -1);
    assert_error(err, ERROR_INVALID, "bytes");
    pool_resource_clear(&resource);
}

static void a_pool_may_have_a_network(void **state)
{
    (void)state;
    struct pool_resource resource = must_read(
        "{\"properties\":{\"sessionNetworkConfiguration\":{\"status\":\"egressEnabled\"}}}");
    assert_true(resource.settings.egress.enabled);
    assert_true(resource.settings.egress.names);
    assert_int_equal(resource.settings.egress.range_count, 0);
    AUTO_BUF struct buf text = {0};
    write(&resource, "2025-10-02-preview", NULL, &text);
    assert_non_null(strstr(text.data, "\"status\":\"EgressEnabled\""));
    pool_resource_clear(&resource);

    resource = must_read(EGRESS_WITH("[\"203.0.113.0/24\",\"10.1.1.1\"],\"egressDns\":false"));
    assert_false(resource.settings.egress.names);
    assert_int_equal(resource.settings.egress.range_count, 2);
    assert_int_equal(resource.settings.egress.ranges[1].address, 0x0a010101);
    pool_resource_clear(&resource);

    resource = must_read("{}");
    assert_false(resource.settings.egress.enabled);
    pool_resource_clear(&resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_az_shows_is_a_pool_document),
        cmocka_unit_test(what_the_cli_sends_is_understood),
        cmocka_unit_test(an_answer_has_the_form_of_its_version),
        cmocka_unit_test(what_has_no_meaning_here_comes_back),
        cmocka_unit_test(what_is_written_reads_as_the_same),
        cmocka_unit_test(mistakes_and_what_is_not_served_are_told_apart),
        cmocka_unit_test(an_id_is_taken_apart_in_any_case),
        cmocka_unit_test(a_patch_changes_what_it_names_and_null_takes_away),
        cmocka_unit_test(a_patch_may_have_either_form_of_the_cooldown),
        cmocka_unit_test(patches_do_not_add_up_to_more_than_a_body),
        cmocka_unit_test(a_pool_may_have_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
