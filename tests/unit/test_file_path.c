#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/api/file_path.h"

static void names_in_every_form_mean_one_file(void **state)
{
    (void)state;
    static const struct {
        const char *directory, *name, *path; /* path NULL: refused */
    } cases[] = {
        {NULL, "a.txt", "a.txt"},
        {NULL, "/mnt/data/a.txt", "a.txt"},
        {NULL, "mnt/data/a.txt", "a.txt"},
        {NULL, "mnt/data", "mnt/data"},
        {NULL, "sub/a.txt", "sub/a.txt"},
        {"", "a.txt", "a.txt"},
        {"/", "a.txt", "a.txt"},
        {"/mnt/data", "a.txt", "a.txt"},
        {"/mnt/data/", "a.txt", "a.txt"},
        {"sub", "a.txt", "sub/a.txt"},
        {"/sub/", "a.txt", "sub/a.txt"},
        {"/mnt/data/sub", "a.txt", "sub/a.txt"},
        {"/mnt/database", "a.txt", "mnt/database/a.txt"},
        {NULL, "...", "..."},
        {NULL, "a b.txt", "a b.txt"},
        {NULL, "\xC3\xA9.txt", "\xC3\xA9.txt"},
        {NULL, "/mnt/data/", NULL},
        {NULL, "../a.txt", NULL},
        {NULL, "sub/../../a.txt", NULL},
        {NULL, "/mnt/data/../a.txt", NULL},
        {NULL, "/etc/passwd", NULL},
        {NULL, "/mnt/data//etc/passwd", NULL},
        {NULL, ".", NULL},
        {NULL, "a\nb", NULL},
        {"..", "a.txt", NULL},
        {"/mnt/data/..", "a.txt", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file_path path = {0};
        struct error err = {0};
        int result = file_path_read(cases[i].directory, cases[i].name, &path, &err);
        print_message("%s | %s\n", cases[i].directory, cases[i].name);
        assert_int_equal(result, cases[i].path ? 0 : -1);
        if (cases[i].path)
            assert_string_equal(path.text, cases[i].path);
    }
}

static void overlong_paths_are_refused(void **state)
{
    (void)state;
    static char name[2 * FILE_PATH_MAX];
    struct file_path path;
    struct error err = {0};
    memset(name, 'a', 255);
    assert_int_equal(file_path_read(NULL, name, &path, &err), 0);
    memset(name, 'a', 256);
    assert_int_equal(file_path_read(NULL, name, &path, &err), -1);

    for (size_t i = 0; i < sizeof name - 1; i++)
        name[i] = i % 2 ? '/' : 'a';
    assert_int_equal(file_path_read(NULL, name, &path, &err), -1);
    assert_int_equal(file_path_read(name, "a", &path, &err), -1);
    name[FILE_PATH_MAX - 1] = '\0';
    assert_int_equal(file_path_read(NULL, name, &path, &err), 0);
}

static void the_base_name_follows_the_last_slash(void **state)
{
    (void)state;
    assert_string_equal(file_path_base_name("a/b/c.txt"), "c.txt");
    assert_string_equal(file_path_base_name("c.txt"), "c.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_every_form_mean_one_file),
        cmocka_unit_test(overlong_paths_are_refused),
        cmocka_unit_test(the_base_name_follows_the_last_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
