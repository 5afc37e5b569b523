#include <stdlib.h>

#include "agent/pool/pool_url.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static void endpoints_come_in_many_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        const char *url;
    } cases[] = {
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080/executions?"},
        {"http://127.0.0.1:8080/", "http://127.0.0.1:8080/executions?"},
        {"https://r.dynamicsessions.io/subscriptions/s/sessionPools/p//",
         "https://r.dynamicsessions.io/subscriptions/s/sessionPools/p/executions?"},
        {"https://h/p?key=v", "https://h/p/executions?key=v&"},
        {"https://h/p/?key=v&w=x", "https://h/p/executions?key=v&w=x&"},
        {"https://h/p?", "https://h/p/executions?"},
    };
    struct pool_version version;
    assert_int_equal(pool_version_read("2024-10-02-preview", &version, NULL), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pool_endpoint endpoint;
        struct pool_target target = {.identifier = "test-0001"};
        AUTO_BUF struct buf url = {0};
        AUTO_BUF struct buf expected = {0};
        buf_printf(&expected, "%sapi-version=2024-10-02-preview&identifier=test-0001",
                   cases[i].url);

        assert_int_equal(pool_endpoint_read(cases[i].endpoint, false, &endpoint, NULL), 0);
        assert_int_equal(pool_url_build(&endpoint, &version, POOL_EXECUTE, &target, &url, NULL), 0);

        assert_string_equal(url.data, expected.data);
        pool_endpoint_clear(&endpoint);
    }
}

static void endpoints_that_would_leak_the_token_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        enum error_code code;
        enum error_code insecure_code;
    } cases[] = {
        {"http://pool.example.com/p", ERROR_DENIED, ERROR_NONE},
        {"http://127.0.0.1.example.com/", ERROR_DENIED, ERROR_NONE},
        {"http://10.0.0.1:8080", ERROR_DENIED, ERROR_NONE},
        {"http://localhost@example.com/", ERROR_INVALID, ERROR_INVALID},
        {"https://user:secret@h/", ERROR_INVALID, ERROR_INVALID},
        {"https://h/p#f", ERROR_INVALID, ERROR_INVALID},
        {"file:///etc/passwd", ERROR_INVALID, ERROR_INVALID},
        {"pool", ERROR_INVALID, ERROR_INVALID},
        {"", ERROR_INVALID, ERROR_INVALID},
        {"https://h/p", ERROR_NONE, ERROR_NONE},
        {"http://[::1]:80/", ERROR_NONE, ERROR_NONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int insecure = 0; insecure < 2; insecure++) {
            struct pool_endpoint endpoint = {0};
            struct error err = {0};
            pool_endpoint_read(cases[i].endpoint, insecure, &endpoint, &err);
            if (err.code != (insecure ? cases[i].insecure_code : cases[i].code))
                fail_msg("%s: %d %s", cases[i].endpoint, err.code, err.message);
            assert_null(strstr(err.message, "secret"));
            pool_endpoint_clear(&endpoint);
        }
    }
}

static void the_date_of_a_version_picks_the_generation(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int generation; /* 0: refused */
    } cases[] = {
        {"2024-02-02-preview", 1},
        {"2024-08-02-preview", 1},
        {"2024-10-02-preview", 2},
        {"2025-10-02-preview", 2},
        {"2026-01-01", 2},
        {"2023-08-01-preview", 0},
        {"2024-02-02-beta", 0},
        {"2024-2-2", 0},
        {"latest", 0},
        {"", 0},
        {"2024-02-02-preview ", 0},
        {"2024-02-02&x=y", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pool_version version = {0};
        struct error err = {0};
        int result = pool_version_read(cases[i].text, &version, &err);
        if ((int)version.generation != cases[i].generation)
            fail_msg("%s is generation %d", cases[i].text, (int)version.generation);
        assert_int_equal(result, cases[i].generation ? 0 : -1);
        assert_int_equal(err.code, cases[i].generation ? ERROR_NONE : ERROR_INVALID);
    }
}

static void paths_are_cleaned_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *clean; /* NULL: refused */
    } cases[] = {
        {"a.txt", "a.txt"},
        {"/mnt/data/a.txt", "a.txt"},
        {"/mnt/data", ""},
        {"/mnt/database", "mnt/database"},
        {"//sub//a b.txt/", "sub/a b.txt"},
        {"", ""},
        {"...", "..."},
        {"..a", "..a"},
        {"..", NULL},
        {"a/..", NULL},
        {"./a", NULL},
        {"/mnt/data/../x", NULL},
        {"\xc3\x28", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_FREE char *clean = NULL;
        struct error err = {0};
        int result = pool_path_clean(cases[i].path, &clean, &err);
        assert_int_equal(result, cases[i].clean ? 0 : -1);
        if (cases[i].clean)
            assert_string_equal(clean, cases[i].clean);
        else
            assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void a_path_has_a_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf path = {0};
    char *clean = NULL;
    while (path.length < 4096)
        buf_append(&path, "x", 1);

    assert_int_equal(pool_path_clean(path.data, &clean, NULL), 0);
    free(clean);

    buf_append(&path, "x", 1);
    assert_int_equal(pool_path_clean(path.data, &clean, NULL), -1);
}

static void what_a_version_lacks_is_said_before_it_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *path;
        bool recursive;
        bool works;
    } cases[] = {
        {"2024-02-02-preview", "", false, true},    {"2024-02-02-preview", "sub", false, false},
        {"2024-02-02-preview", "", true, false},    {"2024-10-02-preview", "sub", false, true},
        {"2025-02-02-preview", "sub", true, false}, {"2025-10-02-preview", "sub", true, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pool_endpoint endpoint = {.base = (char *)"http://localhost"};
        struct pool_target target = {"test-0001", cases[i].path, cases[i].recursive};
        struct pool_version version;
        struct error err = {0};
        AUTO_BUF struct buf url = {0};
        assert_int_equal(pool_version_read(cases[i].version, &version, NULL), 0);

        int result = pool_url_build(&endpoint, &version, POOL_LIST, &target, &url, &err);

        assert_int_equal(result, cases[i].works ? 0 : -1);
        assert_int_equal(err.code, cases[i].works ? ERROR_NONE : ERROR_INVALID);
    }
}

static void versions_are_stepped_down_to_the_oldest(void **state)
{
    (void)state;
    static const char *const steps[] = {"2025-02-02-preview", "2024-10-02-preview",
                                        "2024-08-02-preview", "2024-02-02-preview"};
    struct pool_version version;
    assert_int_equal(pool_version_read(POOL_VERSION_DEFAULT, &version, NULL), 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        assert_true(pool_version_step_down(&version));
        assert_string_equal(version.text, steps[i]);
    }
    assert_int_equal(version.generation, WIRE_GENERATION_1);
    assert_false(pool_version_step_down(&version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_come_in_many_spellings),
        cmocka_unit_test(endpoints_that_would_leak_the_token_are_refused),
        cmocka_unit_test(the_date_of_a_version_picks_the_generation),
        cmocka_unit_test(paths_are_cleaned_or_refused),
        cmocka_unit_test(a_path_has_a_limit),
        cmocka_unit_test(what_a_version_lacks_is_said_before_it_is_asked),
        cmocka_unit_test(versions_are_stepped_down_to_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
