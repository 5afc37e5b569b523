#include "sandboxd/sandbox/descriptors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

enum { FILES = 3 };

static ino_t inode_of(int fd)
{
    struct stat st = {0};
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Behind all numbers that matter here. */
static int open_new(void)
{
    enum { FAR = 100 };
    AUTO_CLOSE int fd = memfd_create("unit", MFD_CLOEXEC);
    return fcntl(fd, F_DUPFD_CLOEXEC, FAR);
}

static void descriptors_that_lie_on_the_places_of_others_are_not_lost(void **state)
{
    (void)state;
    struct error err = {0};
    int fds[FILES];
    ino_t wanted[FILES];
    for (int i = 0; i < FILES; i++) {
        AUTO_CLOSE int fd = open_new();
        fds[i] = dup2(fd, DESCRIPTORS_FIRST + (i + 1) % FILES);
        wanted[i] = inode_of(fds[i]);
        assert_int_not_equal(wanted[i], 0);
    }
    assert_int_equal(descriptors_place(fds, FILES, &err), 0);
    for (int i = 0; i < FILES; i++) {
        assert_int_equal(inode_of(DESCRIPTORS_FIRST + i), wanted[i]);
        assert_int_equal(fcntl(DESCRIPTORS_FIRST + i, F_GETFD), 0);
    }
    assert_int_equal(descriptors_close_from(DESCRIPTORS_FIRST, &err), 0);
}

static void what_has_no_place_ends_with_the_program(void **state)
{
    (void)state;
    struct error err = {0};
    const int nothing[] = {-1, -1};
    assert_int_equal(dup2(STDIN_FILENO, DESCRIPTORS_FIRST + 1), DESCRIPTORS_FIRST + 1);
    assert_int_equal(dup2(STDIN_FILENO, DESCRIPTORS_FIRST + 5), DESCRIPTORS_FIRST + 5);
    assert_int_equal(descriptors_place(nothing, COUNT(nothing), &err), 0);
    assert_int_equal(fcntl(DESCRIPTORS_FIRST + 1, F_GETFD), -1);
    assert_int_equal(fcntl(DESCRIPTORS_FIRST + 5, F_GETFD), FD_CLOEXEC);
    assert_int_equal(descriptors_close_from(DESCRIPTORS_FIRST, &err), 0);
    assert_int_equal(fcntl(DESCRIPTORS_FIRST + 5, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_that_lie_on_the_places_of_others_are_not_lost),
        cmocka_unit_test(what_has_no_place_ends_with_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
