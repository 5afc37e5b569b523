#include "base/core/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

enum { LIMIT = 16 };

static char directory[] = "/tmp/sandpool-state-XXXXXX";
static int directory_fd = -1;

static int open_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory_fd < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlinkat(directory_fd, "file", 0);
    unlinkat(directory_fd, "link", 0);
    close_fd(&directory_fd);
    return rmdir(directory); /* fails when a temporary file was left behind */
}

static void write_file(mode_t mode, const char *text)
{
    struct error err = {0};
    assert_int_equal(state_file_write(directory_fd, "file", mode, text, strlen(text), &err), 0);
}

static mode_t mode_of_file(void)
{
    struct stat info;
    assert_int_equal(fstatat(directory_fd, "file", &info, 0), 0);
    return info.st_mode & 07777;
}

static void a_file_is_replaced_whole_and_has_its_mode_whatever_the_umask(void **state)
{
    (void)state;
    AUTO_FREE char *text = NULL;
    struct error err = {0};
    size_t length = 0;
    mode_t before = umask(0027);
    write_file(STATE_FILE_SECRET, "the first text");
    assert_int_equal(mode_of_file(), 0600);
    write_file(STATE_FILE_PUBLIC, "second");
    umask(before);
    assert_int_equal(mode_of_file(), 0644);
    assert_int_equal(
        state_file_read(directory_fd, "file", STATE_FILE_PUBLIC, LIMIT, &text, &length, &err), 0);
    assert_int_equal(length, 6);
    assert_string_equal(text, "second");
}

static void what_cannot_be_trusted_is_not_read(void **state)
{
    (void)state;
    char *text = NULL;
    struct error err = {0};
    assert_int_equal(
        state_file_read(directory_fd, "none", STATE_FILE_PUBLIC, LIMIT, &text, NULL, &err), -1);
    assert_error(err, ERROR_MISSING, "none");

    write_file(STATE_FILE_PUBLIC, "a secret");
    assert_int_equal(
        state_file_read(directory_fd, "file", STATE_FILE_SECRET, LIMIT, &text, NULL, &err), -1);
    assert_error(err, ERROR_DENIED, "0644");

    write_file(STATE_FILE_SECRET, "seventeen bytes: ");
    assert_int_equal(
        state_file_read(directory_fd, "file", STATE_FILE_SECRET, LIMIT, &text, NULL, &err), -1);
    assert_error(err, ERROR_LIMIT, "file");

    assert_int_equal(symlinkat("file", directory_fd, "link"), 0);
    assert_int_equal(
        state_file_read(directory_fd, "link", STATE_FILE_PUBLIC, LIMIT, &text, NULL, &err), -1);
    assert_int_equal(err.number, ELOOP);
    assert_int_equal(
        state_file_read(directory_fd, ".", STATE_FILE_PUBLIC, LIMIT, &text, NULL, &err), -1);
    assert_error(err, ERROR_INVALID, "regular");
    assert_null(text);
}

/* Where a crash in the middle of a write would leave it. */
static void leave(const char *name, time_t age_s)
{
    AUTO_CLOSE int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct timespec then[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    assert_int_equal(futimens(fd, then), 0);
}

static bool is_there(const char *name)
{
    return faccessat(directory_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void what_a_write_that_was_cut_off_has_left_is_swept(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        time_t age_s;
        bool stays;
    } cases[] = {
        {".issuer.key.6f055fe5-a2ce-4343-a520-1e2d595ec4ff", 2 * STATE_FILE_LEFT_S, false},
        {".x.6F055FE5-A2CE-4343-A520-1E2D595EC4FF", 2 * STATE_FILE_LEFT_S, false},
        {".y.6f055fe5-a2ce-4343-a520-1e2d595ec4ff", 0, true}, /* may be under way */
        {"pool.6f055fe5-a2ce-4343-a520-1e2d595ec4ff", 2 * STATE_FILE_LEFT_S, true},
        {".6f055fe5-a2ce-4343-a520-1e2d595ec4ff", 2 * STATE_FILE_LEFT_S, true},
        {".issuer.key", 2 * STATE_FILE_LEFT_S, true},
    };
    struct error err = {0};
    for (size_t i = 0; i < COUNT(cases); i++)
        leave(cases[i].name, cases[i].age_s);
    assert_int_equal(state_file_sweep(directory_fd, &err), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(is_there(cases[i].name), cases[i].stays);
        unlinkat(directory_fd, cases[i].name, 0);
    }
    assert_int_equal(state_file_sweep(-1, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_whole_and_has_its_mode_whatever_the_umask),
        cmocka_unit_test(what_cannot_be_trusted_is_not_read),
        cmocka_unit_test(what_a_write_that_was_cut_off_has_left_is_swept),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
