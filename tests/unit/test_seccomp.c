#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandboxd/sandbox/seccomp.h"

static const int calls[] = {SYS_openat, SYS_prctl, SYS_exit_group};

static bool fails_with(long result, int error_number)
{
    return result == -1 && errno == error_number;
}

/* In a child behind the list; answers the number of the first thing that is wrong. */
static int try_calls(void)
{
    static struct seccomp_filter filter;
    struct error err = {0};
    seccomp_filter_list(calls, COUNT(calls), &filter);
    if (seccomp_filter_load(&filter, &err) < 0 || seccomp_filter_require(&err) < 0)
        return 1;
    if (syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0)
        return 2;
    if (!fails_with(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY), EPERM) ||
        !fails_with(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR), EPERM))
        return 3;
    if (!fails_with(syscall(SYS_openat, AT_FDCWD, "/nowhere/x", O_CREAT, 0600), EPERM) ||
        !fails_with(syscall(SYS_openat, AT_FDCWD, "/nowhere/x", O_TRUNC), EPERM))
        return 4;
    if (!fails_with(syscall(SYS_getppid), EPERM) || !fails_with(syscall(SYS_mkdir, "/x", 0), EPERM))
        return 5;
    return 0;
}

static int status_of(int (*run)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        syscall(SYS_exit_group, run()); /* before _exit, AddressSanitizer makes a call */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_list_lets_its_calls_through_and_opens_for_reading_only(void **state)
{
    (void)state;
    int status = status_of(try_calls);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#if defined(__x86_64__)
static int call_as_32_bit_program(void)
{
    static struct seccomp_filter filter;
    long result;
    seccomp_filter_list(calls, COUNT(calls), &filter);
    if (seccomp_filter_load(&filter, NULL) < 0)
        return 1;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return 0;
}

static void a_call_of_another_architecture_ends_the_process(void **state)
{
    (void)state;
    int status = status_of(call_as_32_bit_program);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_lets_its_calls_through_and_opens_for_reading_only),
#if defined(__x86_64__)
        cmocka_unit_test(a_call_of_another_architecture_ends_the_process),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
