#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/local/save.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "tests/support/unit.h"

struct fixture {
    char directory[64];
    char path[128];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/test_save.XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/out.txt", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    int left_behind = rmdir(f->directory); /* fails when a temporary file was left */
    free(f);
    return left_behind;
}

static void write_file(const char *path, const char *text)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_holds(const char *path, const char *text)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *found = text_read_all(fd, 4096, NULL, NULL);
    assert_non_null(found);
    assert_string_equal(found, text);
}

static void a_file_appears_when_it_is_complete(void **state)
{
    struct fixture *f = *state;
    struct save save = {0};
    struct error err = {0};

    assert_int_equal(save_begin(&save, f->path, false, &err), 0);
    assert_int_equal(save_write(&save, "hel", 3, &err), 0);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(save_write(&save, "lo", 2, &err), 0);
    assert_int_equal(save_commit(&save, &err), 0);

    assert_holds(f->path, "hello");
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct save save = {0};

    assert_int_equal(save_begin(&save, f->path, false, NULL), 0);
    assert_int_equal(save_write(&save, "hello", 5, NULL), 0);
    save_abort(&save);
    save_abort(&save);

    assert_int_equal(access(f->path, F_OK), -1);
}

static void an_existing_file_is_kept_unless_told_otherwise(void **state)
{
    struct fixture *f = *state;
    struct save save = {0};
    struct error err = {0};
    write_file(f->path, "old");

    assert_int_equal(save_begin(&save, f->path, false, &err), -1);
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_holds(f->path, "old");

    assert_int_equal(save_begin(&save, f->path, true, &err), 0);
    assert_int_equal(save_write(&save, "new", 3, &err), 0);
    assert_holds(f->path, "old");
    assert_int_equal(save_commit(&save, &err), 0);
    assert_holds(f->path, "new");
}

static void a_file_that_came_to_be_meanwhile_is_kept(void **state)
{
    struct fixture *f = *state;
    struct save save = {0};
    struct error err = {0};

    assert_int_equal(save_begin(&save, f->path, false, &err), 0);
    write_file(f->path, "other");
    assert_int_equal(save_commit(&save, &err), -1);

    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_holds(f->path, "other");
}

static void a_dangling_link_is_not_written_through(void **state)
{
    struct fixture *f = *state;
    struct save save = {0};
    struct error err = {0};
    assert_int_equal(symlink("elsewhere", f->path), 0);

    assert_int_equal(save_begin(&save, f->path, false, &err), -1);
    assert_int_equal(err.code, ERROR_CONFLICT);
}

static void only_a_name_is_a_base_name(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *name;
    } cases[] = {
        {"a.txt", "a.txt"},
        {"sub/a.txt", "a.txt"},
        {"/etc/passwd", "passwd"},
        {"..", NULL},
        {".", NULL},
        {"", NULL},
        {"sub/", NULL},
        {"a/..", NULL},
        {"..a", "..a"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = save_base_name(cases[i].path);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
        else
            assert_null(name);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_when_it_is_complete),
        TEST(an_abandoned_file_leaves_nothing),
        TEST(an_existing_file_is_kept_unless_told_otherwise),
        TEST(a_file_that_came_to_be_meanwhile_is_kept),
        TEST(a_dangling_link_is_not_written_through),
        cmocka_unit_test(only_a_name_is_a_base_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
