#include "sandboxd/api/dialect.h"
#include "sandboxd/api/origin.h"
#include "sandboxd/api/router.h"
#include "tests/support/unit.h"

#define AZURE "/subscriptions/s/resourceGroups/g/sessionPools/demo"

#define ARM         "/subscriptions/s/resourceGroups/g/providers/Microsoft.App"
#define ARM_PATTERN "subscriptions/{}/resourceGroups/{}/providers/Microsoft.App"
#define ROLES       "/providers/Microsoft.Authorization/roleAssignments"

static void each_path_finds_its_operation(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        enum route_outcome outcome;
        const char *pattern, *pool, *name;
    } cases[] = {
        {"POST", "/code/execute", ROUTE_FOUND, "code/execute", NULL, NULL},
        {"POST", "/executions/", ROUTE_FOUND, "executions", NULL, NULL},
        {"POST", "//executions", ROUTE_FOUND, "executions", NULL, NULL},
        {"POST", AZURE "/executions?x=1", ROUTE_FOUND, "executions", "demo", NULL},
        {"POST", "/SUBSCRIPTIONS/s/resourcegroups/g/SessionPools/demo//executions", ROUTE_FOUND,
         "executions", "demo", NULL},
        {"POST", "/pools/other/code/execute", ROUTE_FOUND, "code/execute", "other", NULL},
        {"POST", AZURE "/identifier/abcd/code/execute", ROUTE_FOUND, "code/execute", "demo", NULL},
        {"GET", "/files", ROUTE_FOUND, "files", NULL, NULL},
        {"GET", "/Files/Content/a.txt", ROUTE_FOUND, "files/content/{name}", NULL, "a.txt"},
        {"GET", "/files/content/sub/a.txt", ROUTE_FOUND, "files/content/{name}", NULL, "sub"},
        {"GET", "/files/content/a.txt/content", ROUTE_FOUND, "files/content/{name}/content", NULL,
         "a.txt"},
        {"GET", "/files/content/content", ROUTE_FOUND, "files/content/{name}", NULL, "content"},
        {"GET", "/files/a.txt/content", ROUTE_FOUND, "files/{name}/content", NULL, "a.txt"},
        {"GET", "/files/a.txt", ROUTE_FOUND, "files/{name}", NULL, "a.txt"},
        {"DELETE", "/files/a%2Fb.txt", ROUTE_FOUND, "files/{name}", NULL, "a/b.txt"},
        {"POST", AZURE "/.Management/getSession", ROUTE_FOUND, ".management/getSession", "demo",
         NULL},
        {"GET", "/listSessions", ROUTE_FOUND, "listSessions", NULL, NULL},
        {"DELETE", "/session", ROUTE_FOUND, "session", NULL, NULL},
        {"POST", AZURE "/python/execute/", ROUTE_FOUND, "python/execute", "demo", NULL},
        {"GET", "/python/downloadfile?filename=a", ROUTE_FOUND, "python/downloadFile", NULL, NULL},
        {"GET", "/health", ROUTE_FOUND, "health", NULL, NULL},
        {"PUT", ARM "/sessionPools/demo", ROUTE_FOUND, ARM_PATTERN "/sessionPools/{}", NULL, NULL},
        {"GET", "/Subscriptions/s/resourcegroups/g/PROVIDERS/microsoft.app/sessionpools/",
         ROUTE_FOUND, ARM_PATTERN "/sessionPools", NULL, NULL},
        {"GET", "/subscriptions/s/providers/Microsoft.App/sessionPools", ROUTE_FOUND,
         "subscriptions/{}/providers/Microsoft.App/sessionPools", NULL, NULL},
        {"GET", "/subscriptions/s/providers/Microsoft.App", ROUTE_FOUND,
         "subscriptions/{}/providers/Microsoft.App", NULL, NULL},
        {"POST", ARM "/sessionPools/demo/fetchMcpServerCredentials", ROUTE_FOUND,
         ARM_PATTERN "/sessionPools/{}/fetchMCPServerCredentials", NULL, NULL},
        {"PUT", ARM "/sessionPools/demo" ROLES "/1", ROUTE_FOUND,
         "subscriptions/{name}" ROLES "/{}", NULL, "s"},
        {"GET", "/subscriptions/s" ROLES, ROUTE_FOUND, "subscriptions/{name}" ROLES, NULL, "s"},
        {"POST", ARM "/sessionPools/demo", ROUTE_WRONG_METHOD, NULL, NULL, NULL},
        {"GET", "/pools/a" ARM "/sessionPools/demo", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"GET", "/subscriptions/s/providers/Microsoft.Other", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"PUT", "/executions", ROUTE_WRONG_METHOD, NULL, NULL, NULL},
        {"GET", "/code/execute", ROUTE_WRONG_METHOD, NULL, NULL, NULL},
        {"GET", "/", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"GET", AZURE, ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"GET", "/pools", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"POST", "/code", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
        {"POST", "/code/execute/more", ROUTE_UNKNOWN_PATH, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_target target;
        struct route_match match = {0};
        struct error err = {0};
        print_message("%s %s\n", cases[i].method, cases[i].path);
        assert_int_equal(http_target_parse(cases[i].path, strlen(cases[i].path), &target, &err), 0);
        assert_int_equal(router_find(cases[i].method, &target, &match), cases[i].outcome);
        if (cases[i].pattern)
            assert_string_equal(match.route->pattern, cases[i].pattern);
        if (cases[i].pool)
            assert_string_equal(match.pool, cases[i].pool);
        else
            assert_null(match.pool);
        if (cases[i].name)
            assert_string_equal(target.segments[match.name_first], cases[i].name);
        http_target_clear(&target);
    }
}

static void words_of_a_path_are_captured(void **state)
{
    (void)state;
    static const char path[] = ARM "/sessionPools/demo";
    struct http_target target;
    struct route_match match = {0};
    struct error err = {0};
    assert_int_equal(http_target_parse(path, strlen(path), &target, &err), 0);
    assert_int_equal(router_find("GET", &target, &match), ROUTE_FOUND);
    assert_string_equal(match.words[0], "s");
    assert_string_equal(match.words[1], "g");
    assert_string_equal(match.words[2], "demo");
    assert_null(match.words[3]);
    assert_null(match.pool);
    http_target_clear(&target);
}

static void versions_are_read_leniently(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int version; /* -1: refused */
    } cases[] = {
        {"2024-02-02-preview", API_2024_02_02},
        {"2024-08-02-preview", API_2024_08_02},
        {"2024-10-02-preview", API_2024_10_02},
        {"2025-02-02-preview", API_2025_02_02},
        {"2025-10-02-preview", API_2025_10_02},
        {"2025-07-01", API_2025_02_02},
        {"2023-08-01-preview", API_2024_02_02},
        {"2027-01-01-preview", API_2025_10_02},
        {"2024-10-01", API_2024_08_02},
        {"latest", -1},
        {"2024-10-02-beta", -1},
        {"2024-1-02", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        enum api_version version = API_2024_02_02;
        int result = dialect_read_version(cases[i].text, false, &version, &err);
        assert_int_equal(result, cases[i].version < 0 ? -1 : 0);
        if (result == 0)
            assert_int_equal(version, cases[i].version);
    }
    assert_string_equal(dialect_version_name(API_2025_02_02), "2025-02-02-preview");
    assert_int_equal(dialect_generation(API_2024_08_02), WIRE_GENERATION_1);
    assert_int_equal(dialect_generation(API_2024_10_02), WIRE_GENERATION_2);
}

static void other_names_and_web_pages_of_other_origins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host, *origin, *site;
        int result;
    } cases[] = {
        {"127.0.0.1:8900", NULL, NULL, 0},
        {"sandbox.example", NULL, NULL, 0}, /* a name that was given */
        {"SANDBOX.example:443", NULL, "none", 0},
        {"sub.localhost:8900", NULL, NULL, 0},
        {"192.168.0.7:8900", NULL, NULL, 0},
        {NULL, NULL, NULL, 0},
        {"127.0.0.1:8900", "http://127.0.0.1:8900", "same-origin", 0},
        {"localhost:8900", "http://localhost:8900", NULL, 0},
        {"[::1]:8900", NULL, "none", 0},
        {"127.0.0.1:8900", "http://evil.example", NULL, -1},
        {"127.0.0.1:8900", "null", NULL, -1},
        {"127.0.0.1:8900", "http://127.0.0.1:8901", NULL, -1},
        {"127.0.0.1:8900", NULL, "cross-site", -1},
        {"evil.example:8900", "http://evil.example:8900", "same-origin", -1}, /* rebound name */
        {"evil.example:8900", NULL, NULL, -1}, /* a browser that says nothing of itself */
        {"localhost.evil.example", NULL, NULL, -1},
        {"notlocalhost", NULL, NULL, -1},
        {".sandbox.example", NULL, NULL, -1},
        {"", NULL, NULL, 0}, /* HTTP/1.0 */
    };
    static const char *const given[] = {"other.example", "sandbox.example"};
    const struct origin_names names = {given, COUNT(given)};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        assert_int_equal(origin_check(&names, cases[i].host, cases[i].origin, cases[i].site, &err),
                         cases[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_finds_its_operation),
        cmocka_unit_test(words_of_a_path_are_captured),
        cmocka_unit_test(versions_are_read_leniently),
        cmocka_unit_test(other_names_and_web_pages_of_other_origins_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
