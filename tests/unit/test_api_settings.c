#include "sandboxd/api/api_settings.h"

#include "base/json/json.h"
#include "sandboxd/api/forwarded.h"
#include "tests/support/unit.h"

static int read_text(const char *text, struct api_settings *settings, struct error *err)
{
    AUTO_JSON json_t *object = NULL;
    assert_int_equal(json_parse(text, strlen(text), strlen(text), &object, err), 0);
    return api_settings_read(object, "api", settings, err);
}

static void the_defaults_are_those_of_the_documentation(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"versions\":null,\"ids\":null}"};
    struct error err = {0};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct api_settings settings = {0};
        assert_int_equal(read_text(texts[i], &settings, &err), 0);
        assert_false(settings.strict_versions);
        assert_true(settings.with_ids);
        assert_false(settings.pool_full_is_404);
        assert_false(settings.trusts_forwarded);
        assert_true(settings.with_refusals);
        assert_int_equal(settings.result_text, RESULT_TEXT_2024_10);
        assert_int_equal(settings.stream_bytes_max, 10485760);
    }
}

static void each_choice_is_read(void **state)
{
    (void)state;
    struct api_settings settings;
    struct error err = {0};
    assert_int_equal(
        read_text("{\"versions\":\"strict\",\"ids\":false,\"poolFullStatus\":404,"
                  "\"forwardedHeaders\":true,\"refusals\":false,\"resultAsText\":\"never\","
                  "\"outputStreamBytesMax\":1024}",
                  &settings, &err),
        0);
    assert_true(settings.strict_versions);
    assert_false(settings.with_ids);
    assert_true(settings.pool_full_is_404);
    assert_true(settings.trusts_forwarded);
    assert_false(settings.with_refusals);
    assert_int_equal(settings.result_text, RESULT_TEXT_NEVER);
    assert_int_equal(settings.stream_bytes_max, 1024);
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"{\"colour\":1}", "api.colour"},
        {"{\"versions\":\"exact\"}", "api.versions: is \"exact\"; must be one of \"lenient\""},
        {"{\"versions\":true}", "api.versions"},
        {"{\"ids\":\"no\"}", "api.ids: must be true or false"},
        {"{\"refusals\":1}", "api.refusals: must be true or false"},
        {"{\"poolFullStatus\":405}", "api.poolFullStatus: must be 429 or 404"},
        {"{\"poolFullStatus\":500}", "api.poolFullStatus: must be 429 or 404"},
        {"{\"forwardedHeaders\":1}", "api.forwardedHeaders"},
        {"{\"resultAsText\":\"2025-10-02-preview\"}", "api.resultAsText"},
        {"{\"outputStreamBytesMax\":1023}",
         "api.outputStreamBytesMax: must be an integer from 1024"},
        {"{\"outputStreamBytesMax\":16777217}", "16777216"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_settings settings = {.stream_bytes_max = 7};
        struct error err = {0};
        assert_int_equal(read_text(cases[i].text, &settings, &err), -1);
        assert_error(err, ERROR_INVALID, cases[i].named);
        assert_int_equal(settings.stream_bytes_max, 7);
    }
}

static void a_result_is_text_where_it_was_chosen(void **state)
{
    (void)state;
    static const struct {
        enum result_text chosen;
        enum wire_generation generation;
        enum api_version version;
        bool text;
    } cases[] = {
        {RESULT_TEXT_2024_10, WIRE_GENERATION_2, API_2024_10_02, true},
        {RESULT_TEXT_2024_10, WIRE_GENERATION_2, API_2025_02_02, false},
        {RESULT_TEXT_2024_10, WIRE_GENERATION_1, API_2024_10_02, false},
        {RESULT_TEXT_ALWAYS, WIRE_GENERATION_2, API_2025_10_02, true},
        {RESULT_TEXT_ALWAYS, WIRE_GENERATION_1, API_2024_02_02, false},
        {RESULT_TEXT_NEVER, WIRE_GENERATION_2, API_2024_10_02, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_settings settings = {.result_text = cases[i].chosen};
        assert_int_equal(api_settings_want_text(&settings, cases[i].generation, cases[i].version),
                         cases[i].text);
    }
}

static void versions_are_read_strictly_where_it_was_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool lenient, strict;
        enum api_version version;
    } cases[] = {
        {"2024-02-02-preview", true, true, API_2024_02_02},
        {"2025-10-02-preview", true, true, API_2025_10_02},
        {"2024-12-31-preview", true, false, API_2024_10_02},
        {"2025-10-02", true, false, API_2025_10_02},
        {"2020-01-01", true, false, API_2024_02_02},
        {"2030-01-01-preview", true, false, API_2025_10_02},
        {"latest", false, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum api_version version = 0;
        struct error err = {0};
        assert_int_equal(dialect_read_version(cases[i].text, false, &version, &err) == 0,
                         cases[i].lenient);
        assert_int_equal(version, cases[i].version);
        assert_int_equal(dialect_read_version(cases[i].text, true, &version, &err) == 0,
                         cases[i].strict);
    }
}

static void a_proxy_names_a_host(void **state)
{
    (void)state;
    static const struct {
        const char *value, *host;
    } cases[] = {
        {"pool.example.com", "pool.example.com"},
        {"pool.example.com:8443", "pool.example.com:8443"},
        {"[::1]:8900", "[::1]:8900"},
        {" outer.example , inner.example", "outer.example"},
        {"", NULL},
        {" , inner", NULL},
        {"user@host", NULL},
        {"host/path", NULL},
        {"two words", NULL},
        {"a\r\nb", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char host[FORWARDED_HOST_MAX] = "";
        assert_int_equal(forwarded_read_host(cases[i].value, host), cases[i].host != NULL);
        assert_string_equal(host, cases[i].host ? cases[i].host : "");
    }
    char host[FORWARDED_HOST_MAX], longest[FORWARDED_HOST_MAX + 1];
    memset(longest, 'a', sizeof longest);
    longest[FORWARDED_HOST_MAX] = '\0';
    assert_false(forwarded_read_host(longest, host));
    longest[FORWARDED_HOST_MAX - 1] = '\0';
    assert_true(forwarded_read_host(longest, host));
}

static void a_proxy_names_a_scheme(void **state)
{
    (void)state;
    assert_string_equal(forwarded_read_scheme("HTTPS"), "https");
    assert_string_equal(forwarded_read_scheme("http, https"), "http");
    assert_null(forwarded_read_scheme("httpsx"));
    assert_null(forwarded_read_scheme("ftp"));
    assert_null(forwarded_read_scheme(""));
    assert_null(forwarded_read_scheme(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_documentation),
        cmocka_unit_test(each_choice_is_read),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(a_result_is_text_where_it_was_chosen),
        cmocka_unit_test(versions_are_read_strictly_where_it_was_chosen),
        cmocka_unit_test(a_proxy_names_a_host),
        cmocka_unit_test(a_proxy_names_a_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
