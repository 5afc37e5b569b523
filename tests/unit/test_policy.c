#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/policy/policy.h"

static int load_text(const char *text, struct policy *policy, struct error *err)
{
    AUTO_CLOSE int fd = memfd_create("policy", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    lseek(fd, 0, SEEK_SET);
    return policy_load(fd, policy, err);
}

static void refuses(const char *text, const char *word)
{
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(load_text(text, &policy, &err), -1);
    assert_error(err, ERROR_INVALID, word);
    assert_null(policy.rules);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    refuses("[]", "policy.default");
    refuses("{\"default\":\"EPERM\",\"colour\":1}", "colour");
    refuses("{\"default\":\"EWHAT\"}", "EWHAT");
    refuses("{\"calls\":[]}", "default");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"read\"]}]}", "calls[0].why");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"why\":\"x\"}]}", "calls[0]");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"raed\"],\"why\":\"x\"}]}", "raed");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"read\"],\"refuse\":[\"write\"],"
            "\"error\":\"ENOSYS\",\"why\":\"x\"}]}",
            "one of allow");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"socket\"],\"why\":\"x\","
            "\"when\":[{\"argument\":6,\"is\":1}]}]}",
            "when[0].argument");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"socket\"],\"why\":\"x\","
            "\"when\":[{\"argument\":0,\"is\":\"AF_WHAT\"}]}]}",
            "AF_WHAT");
    refuses("{\"default\":\"EPERM\",\"calls\":[{\"refuseNumbers\":[9,3],\"error\":\"ENOSYS\","
            "\"why\":\"x\"}]}",
            "refuseNumbers");
}

static void a_list_of_values_stands_for_as_many_rules(void **state)
{
    (void)state;
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(
        load_text("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"setsockopt\",\"getsockopt\"],"
                  "\"why\":\"x\",\"when\":[{\"argument\":1,\"is\":[1,6]},"
                  "{\"argument\":2,\"is\":[2,3,4]}]}]}",
                  &policy, &err),
        0);
    assert_int_equal(policy.count, 2 * 3 * 2);
    assert_int_equal(policy.rules[0].condition_count, 2);
    assert_int_equal(policy.rules[policy.count - 1].conditions[0].value, 6);
    assert_int_equal(policy.rules[policy.count - 1].conditions[1].value, 4);
    policy_clear(&policy);
}

static void without_a_mask_the_lower_half_is_compared(void **state)
{
    (void)state;
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(load_text("{\"default\":\"EPERM\",\"calls\":[{\"allow\":[\"clone\"],"
                               "\"why\":\"x\",\"when\":[{\"argument\":0,\"is\":0}]}]}",
                               &policy, &err),
                     0);
    assert_true(policy.rules[0].conditions[0].mask == 0xFFFFFFFF);
    policy_clear(&policy);
}

static void open_filter(const char *path, struct seccomp_filter *filter)
{
    struct policy policy = {0};
    struct error err = {0};
    AUTO_CLOSE int policy_fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int filter_fd = -1;
    if (policy_load(policy_fd, &policy, &err) < 0 ||
        seccomp_filter_compile(policy.rules, policy.count, policy.default_error, &filter_fd, &err) <
            0 ||
        seccomp_filter_read(filter_fd, filter, &err) < 0)
        fail_msg("%s: %s", path, err.message);
    policy_clear(&policy);
}

static bool fails_with(long result, int error_number)
{
    return result == -1 && errno == error_number;
}

/* In a child behind the filter; answers the number of the first thing that is wrong. */
static int try_guest_calls(void)
{
    static const int linger[2] = {1, 60};
    if (!fails_with(unshare(CLONE_NEWUSER), EPERM))
        return 1;
    if (!fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS))
        return 2;
    if (!fails_with(syscall(SYS_clone, (1UL << 40) | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM))
        return 3;
    if (!fails_with(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0), EPERM))
        return 4;
    if (!fails_with(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS) ||
        !fails_with(syscall(500), ENOSYS))
        return 5;
    if (!fails_with(socket(AF_NETLINK, SOCK_RAW, 0), EPERM) ||
        !fails_with(socket(AF_INET, SOCK_RAW, 1), EPERM))
        return 6;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 7;
    if (!fails_with(setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, sizeof linger), EPERM))
        return 8;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, linger, sizeof linger[0]) < 0)
        return 9;
    return 0;
}

static void the_guests_policy_refuses_and_allows_what_it_says(void **state)
{
    (void)state;
    static struct seccomp_filter filter;
    open_filter(SANDPOOL_POLICY_DIRECTORY "/python.json", &filter);
    pid_t pid = fork();
    if (pid == 0)
        _exit(seccomp_filter_load(&filter, NULL) < 0 ? 100 : try_guest_calls());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_call_of_another_architecture_ends_the_process(void **state)
{
    (void)state;
    static struct seccomp_filter filter;
    open_filter(SANDPOOL_POLICY_DIRECTORY "/file-helper.json", &filter);
    pid_t pid = fork();
    if (pid == 0) {
        if (seccomp_filter_load(&filter, NULL) < 0)
            _exit(100);
        syscall(0x40000000 | SYS_getpid); /* x32 */
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(a_list_of_values_stands_for_as_many_rules),
        cmocka_unit_test(without_a_mask_the_lower_half_is_compared),
        cmocka_unit_test(the_guests_policy_refuses_and_allows_what_it_says),
        cmocka_unit_test(a_call_of_another_architecture_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
