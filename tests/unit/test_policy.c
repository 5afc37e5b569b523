#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/policy/library.h"

#define KIND "\"name\":\"x\",\"kind\":\"process\",\"default\":\"EPERM\""
/* A document of one entry, its "why" included. */
#define ENTRY(text) "{" KIND ",\n\"calls\":[\n{" text ",\"why\":\"x\"}]}"

static int load_text(const char *text, struct policy *policy, struct error *err)
{
    return policy_read(text, strlen(text), "x.json", NULL, policy, err);
}

static void refuses(const char *text, const char *message)
{
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(load_text(text, &policy, &err), -1);
    assert_error(err, ERROR_INVALID, message);
    assert_null(policy.rules);
}

static void mistakes_are_named_with_file_line_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "x.json:1: a policy must be an object"},
        {"{\n\"name\":}", "x.json:2:8: "},
        {"", "x.json: JSON is empty"},
        {"{" KIND ",\n\"colour\":1}", "colour: is not a known member"},
        {"{\n\"name\":\n\"X\"}", "x.json:3: name: is \"X\""},
        {"{\"name\":\"x\",\"default\":\"EPERM\",\"calls\":[]}", "x.json:1: kind: is required"},
        {"{\"name\":\"x\",\"kind\":\"box\"}", "kind: is \"box\"; must be session or process"},
        {"{\"name\":\"x\",\"kind\":\"process\",\"calls\":[]}", "default: is required"},
        {"{\"name\":\"x\",\"kind\":\"process\",\n\"default\":\"EPREM\"}",
         "x.json:2: default: unknown error \"EPREM\"; did you mean \"EPERM\"?"},
        {"{" KIND "}", "calls: is required"},
        {"{" KIND ",\"extends\":\"python\"}", "extends: there is no policy \"python\""},
        {"{" KIND ",\"calls\":[\n{\"allow\":[\"read\"]}]}", "x.json:2: calls[0].why: is required"},
        {"{" KIND ",\"calls\":[{\"why\":\"x\"}]}", "calls[0]: must have one of allow"},
        {ENTRY("\"allow\":[\"read\",\n\"opne\"]"),
         "x.json:4: calls[0].allow[1]: unknown system call \"opne\"; did you mean \"open\"?"},
        {ENTRY("\"allow\":[1]"), "calls[0].allow[0]: must be the name of a system call"},
        {ENTRY("\"allow\":[]"), "calls[0].allow: must not be empty"},
        {ENTRY("\"allow\":[\"read\"],\"refuse\":[\"write\"]"), "has allow and refuse"},
        {ENTRY("\"allow\":[\"read\"],\"error\":\"EPERM\""), "calls[0].error"},
        {ENTRY("\"allow\":[\"socket\"],\"when\":[{\"argument\":6,\"is\":1}]"),
         "calls[0].when[0].argument"},
        {ENTRY("\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"is\":[1,\n\"AF_INTE\"]}]"),
         "x.json:4: calls[0].when[0].is[1]: unknown constant \"AF_INTE\"; did you mean \"AF_INET"},
        {ENTRY("\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"mask\":\"0xg\",\"is\":0}]"),
         "calls[0].when[0].mask: unknown constant"},
        {ENTRY("\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"mask\":1,\"is\":2}]"),
         "can never hold"},
        {ENTRY("\"refuseNumbers\":[9,3]"), "refuseNumbers: must be [first, last]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refuses(cases[i].text, cases[i].message);
}

/* Two entries, "why" included. */
#define TWO(a, b) "{" KIND ",\"calls\":[{" a ",\"why\":\"x\"},\n{" b ",\"why\":\"x\"}]}"
#define UNIX_ONLY "\"when\":[{\"argument\":0,\"is\":\"AF_UNIX\"}]"
#define INET_ONLY "\"when\":[{\"argument\":0,\"is\":\"AF_INET\"}]"

static void rules_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const char contradicts[] = "contradicts calls[0]", repeats[] = "says the same already";
    refuses(TWO("\"allow\":[\"read\"]", "\"refuse\":[\"write\",\"read\"]"), contradicts);
    refuses(TWO("\"refuse\":[\"read\"],\"error\":\"ENOSYS\"", "\"refuse\":[\"read\"]"),
            contradicts);
    refuses(TWO("\"allow\":[\"socket\"]," UNIX_ONLY, "\"refuse\":[\"socket\"]"), contradicts);
    refuses(TWO("\"allow\":[\"socket\"]," UNIX_ONLY,
                "\"refuse\":[\"socket\"],\"when\":[{\"argument\":1,\"is\":1}]"),
            contradicts);
    refuses(TWO("\"allow\":[\"read\"]", "\"allow\":[\"read\"]"), repeats);
    refuses(TWO("\"allow\":[\"socket\"]," UNIX_ONLY, "\"allow\":[\"socket\"]"), repeats);
    refuses(TWO("\"allow\":[\"write\"]", "\"refuseNumbers\":[1,3]"), contradicts);
}

static void rules_that_exclude_each_other_stand_side_by_side(void **state)
{
    (void)state;
    struct policy policy = {0};
    struct error err = {0};
    if (load_text(TWO("\"allow\":[\"socket\"]," UNIX_ONLY,
                      "\"refuse\":[\"socket\"],\"error\":\"EACCES\"," INET_ONLY),
                  &policy, &err) < 0)
        fail_msg("%s", err.message);
    const uint64_t unix_socket[6] = {AF_UNIX}, inet[6] = {AF_INET}, netlink[6] = {AF_NETLINK};
    const uint64_t garbage[6] = {AF_UNIX | (1ULL << 40)};
    assert_int_equal(policy_answer(&policy, SYS_socket, unix_socket), 0);
    assert_int_equal(policy_answer(&policy, SYS_socket, garbage), 0);
    assert_int_equal(policy_answer(&policy, SYS_socket, inet), EACCES);
    assert_int_equal(policy_answer(&policy, SYS_socket, netlink), EPERM);
    policy_clear(&policy);
}

static void loopback_is_for_those_who_may_make_a_socket_for_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t loopback;
    } cases[] = {
        {ENTRY("\"allow\":[\"read\"]"), 0},
        {ENTRY("\"allow\":[\"socket\"]"), 1},
        {ENTRY("\"allow\":[\"socket\"]," UNIX_ONLY), 0},
        {ENTRY("\"allow\":[\"socket\"]," INET_ONLY), 1},
        {ENTRY("\"refuse\":[\"socket\"]," INET_ONLY), 0},
        {ENTRY("\"allow\":[\"socket\"],\"when\":[{\"argument\":1,\"is\":1},"
               "{\"argument\":0,\"is\":[\"AF_UNIX\",\"AF_INET6\"]}]"),
         1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy policy = {0};
        struct error err = {0};
        if (load_text(cases[i].text, &policy, &err) < 0)
            fail_msg("%s", err.message);
        assert_int_equal(policy.profile.loopback, cases[i].loopback);
        policy_clear(&policy);
    }
}

/* A parent from a text. */
static int load_parent(void *self, const char *name, struct policy *ret_policy, struct error *err)
{
    (void)name;
    const char *text = self;
    return policy_read(text, strlen(text), "parent.json", NULL, ret_policy, err);
}

static void a_call_that_a_policy_names_is_no_longer_its_parents(void **state)
{
    (void)state;
    static char parent[] = "{\"name\":\"p\",\"kind\":\"process\",\"default\":\"EPERM\",\"calls\":["
                           "{\"allow\":[\"socket\"]," UNIX_ONLY ",\"why\":\"a\"},"
                           "{\"allow\":[\"socket\"]," INET_ONLY ",\"why\":\"a\"},"
                           "{\"allow\":[\"read\",\"write\"],\"why\":\"a\"}]}";
    static const char child[] =
        "{\"name\":\"c\",\"extends\":\"p\",\"default\":\"ENOSYS\",\"calls\":["
        "{\"allow\":[\"socket\"]," INET_ONLY ",\"why\":\"b\"},"
        "{\"refuse\":[\"write\"],\"error\":\"EACCES\",\"why\":\"b\"}]}";
    const struct policy_parents parents = {load_parent, parent};
    struct policy policy = {0};
    struct error err = {0};
    if (policy_read(child, strlen(child), "c.json", &parents, &policy, &err) < 0)
        fail_msg("%s", err.message);
    const uint64_t none[6] = {0}, unix_socket[6] = {AF_UNIX}, inet[6] = {AF_INET};
    assert_int_equal(policy_answer(&policy, SYS_socket, unix_socket), ENOSYS);
    assert_int_equal(policy_answer(&policy, SYS_socket, inet), 0);
    assert_int_equal(policy_answer(&policy, SYS_read, none), 0);
    assert_int_equal(policy_answer(&policy, SYS_write, none), EACCES);
    assert_int_equal(policy_answer(&policy, SYS_open, none), ENOSYS);
    assert_string_equal(policy.groups[policy.rules[0].group].document, "p");
    policy_clear(&policy);
}

static void a_mistake_of_the_parent_keeps_its_own_place(void **state)
{
    (void)state;
    static char parent[] = "{\"name\":\"p\"}";
    static const char child[] = "{\"name\":\"c\",\"extends\":\"p\"}";
    const struct policy_parents parents = {load_parent, parent};
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(policy_read(child, strlen(child), "c.json", &parents, &policy, &err), -1);
    assert_memory_equal(err.message, "parent.json:1: kind", strlen("parent.json:1: kind"));
}

/* A policy of sessions that changes python. */
static void session_refuses(const char *calls, const char *message)
{
    AUTO_LIBRARY struct library library = {0};
    struct policy policy = {0};
    struct error err = {0};
    char text[1024];
    AUTO_CLOSE int directory_fd =
        open(SANDPOOL_POLICY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = memfd_create("policy", MFD_CLOEXEC);
    snprintf(text, sizeof text,
             "{\"name\":\"mine\",\"extends\":\"python\",\"calls\":[{%s,\"why\":\"x\"}]}", calls);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(library_add(&library, directory_fd, "ours", &err), 0);
    assert_int_equal(library_load_file(&library, fd, "mine.json", &policy, &err), -1);
    assert_error(err, ERROR_INVALID, message);
}

static void no_policy_of_sessions_goes_below_the_floor(void **state)
{
    (void)state;
    session_refuses("\"allow\":[\"ptrace\"]", "\"ptrace\" may not be allowed");
    session_refuses("\"allow\":[\"mount\"],\"when\":[{\"argument\":3,\"is\":0}]",
                    "\"mount\" may not");
    session_refuses("\"allow\":[\"clone3\"]", "\"clone3\" may not");
    session_refuses("\"allow\":[\"clone\"]", "CLONE_REFUSED");
    session_refuses(
        "\"allow\":[\"clone\"],\"when\":[{\"argument\":0,\"mask\":\"0x20000\",\"is\":0}]",
        "CLONE_REFUSED");
    session_refuses("\"allow\":[\"socket\"]", "AF_UNIX, AF_INET or AF_INET6");
    session_refuses("\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"is\":[\"AF_UNIX\",40]}]",
                    "AF_UNIX, AF_INET or AF_INET6");
    session_refuses("\"refuse\":[\"unshare\"],\"error\":\"ENOSYS\"", "must be refused with EPERM");
    session_refuses("\"refuse\":[\"prctl\"]", "PR_GET_SECCOMP must be allowed");
    session_refuses("\"refuse\":[\"exit_group\"]", "programs end with it");
}

static void a_list_of_values_stands_for_as_many_rules(void **state)
{
    (void)state;
    struct policy policy = {0};
    struct error err = {0};
    assert_int_equal(load_text(ENTRY("\"allow\":[\"setsockopt\",\"getsockopt\"],"
                                     "\"when\":[{\"argument\":1,\"is\":[1,6]},"
                                     "{\"argument\":2,\"is\":[2,3,4]}]"),
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
    assert_int_equal(load_text(ENTRY("\"allow\":[\"clone\"],\"when\":[{\"argument\":0,\"is\":0}]"),
                               &policy, &err),
                     0);
    assert_true(policy.rules[0].conditions[0].mask == 0xFFFFFFFF);
    policy_clear(&policy);
}

static void open_filter(const char *name, bool asks, struct seccomp_filter *filter)
{
    AUTO_LIBRARY struct library library = {0};
    struct policy policy = {0};
    struct profile profile;
    struct error err = {0};
    AUTO_CLOSE int directory_fd =
        open(SANDPOOL_POLICY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int filter_fd = -1;
    if (library_add(&library, directory_fd, "policy", &err) < 0 ||
        library_load(&library, name, &policy, &err) < 0 ||
        (asks ? policy_compile_asking : policy_compile)(&policy, &filter_fd, &err) < 0 ||
        (policy.kind == POLICY_SESSION ? profile_read(filter_fd, &profile, filter, &err)
                                       : seccomp_filter_read(filter_fd, filter, &err)) < 0)
        fail_msg("%s: %s", name, err.message);
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
    open_filter("python", false, &filter);
    pid_t pid = fork();
    if (pid == 0)
        _exit(seccomp_filter_load(&filter, NULL) < 0 ? 100 : try_guest_calls());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The broker's part, until the child has ended. */
static unsigned refuse_all(int channel_fd, int pid_fd)
{
    unsigned questions = 0;
    static struct channel_message message;
    assert_int_equal(channel_receive(channel_fd, 1, &message, NULL), CHANNEL_MESSAGE);
    AUTO_CLOSE int listener_fd = channel_take_fd(&message, 0);
    struct pollfd fds[2] = {{.fd = listener_fd, .events = POLLIN},
                            {.fd = pid_fd, .events = POLLIN}};
    for (;;) {
        struct seccomp_question question;
        assert_true(poll(fds, 2, 10000) > 0);
        if (fds[0].revents & POLLIN && seccomp_listener_read(listener_fd, &question)) {
            questions++;
            seccomp_listener_refuse(listener_fd, question.id, EPERM);
        } else if (fds[1].revents & POLLIN) {
            return questions;
        }
    }
}

static void a_filter_that_asks_refuses_the_same(void **state)
{
    (void)state;
    static struct seccomp_filter filter;
    struct error err = {0};
    int channel[2];
    open_filter("python", true, &filter);
    assert_int_equal(channel_pair(channel, &err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int listener_fd = -1;
        if (seccomp_filter_load_asking(&filter, &listener_fd, NULL) < 0 ||
            channel_send(channel[1], FRAME_LISTENER, 0, NULL, 0, &listener_fd, 1, NULL) < 0)
            _exit(100);
        close(listener_fd);
        if (seccomp_filter_require(NULL) < 0)
            _exit(101);
        _exit(try_guest_calls());
    }
    close_fd(&channel[1]);
    AUTO_CLOSE int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(pid_fd >= 0);
    /* Those that fail with another error than the default, and the probe, are not asked about. */
    assert_int_equal(refuse_all(channel[0], pid_fd), 6);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close_fd(&channel[0]);
}

static void a_call_of_another_architecture_ends_the_process(void **state)
{
    (void)state;
    static struct seccomp_filter filter;
    open_filter("file-helper", false, &filter);
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
        cmocka_unit_test(mistakes_are_named_with_file_line_and_path),
        cmocka_unit_test(rules_that_contradict_each_other_are_refused),
        cmocka_unit_test(rules_that_exclude_each_other_stand_side_by_side),
        cmocka_unit_test(loopback_is_for_those_who_may_make_a_socket_for_it),
        cmocka_unit_test(a_call_that_a_policy_names_is_no_longer_its_parents),
        cmocka_unit_test(a_mistake_of_the_parent_keeps_its_own_place),
        cmocka_unit_test(no_policy_of_sessions_goes_below_the_floor),
        cmocka_unit_test(a_list_of_values_stands_for_as_many_rules),
        cmocka_unit_test(without_a_mask_the_lower_half_is_compared),
        cmocka_unit_test(the_guests_policy_refuses_and_allows_what_it_says),
        cmocka_unit_test(a_filter_that_asks_refuses_the_same),
        cmocka_unit_test(a_call_of_another_architecture_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
