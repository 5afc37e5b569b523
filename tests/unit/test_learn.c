#include "tests/support/unit.h"

#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/core/cleanup.h"
#include "sandboxd/policy/learn.h"

/* A policy for a process: nothing is added for the interpreter of a session. */
static const char in_force[] =
    "{\"name\":\"x\",\"kind\":\"process\",\"default\":\"EPERM\",\"calls\":["
    "{\"allow\":[\"read\",\"write\",\"close\"],\"why\":\"bytes\"},"
    "{\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"is\":1}],\"why\":\"local\"},"
    "{\"refuse\":[\"clone3\"],\"error\":\"ENOSYS\",\"why\":\"falls back\"}]}";

struct fixture {
    struct policy policy;
    struct learn learn;
};

static void start(struct fixture *f, bool is_strict)
{
    struct error err = {0};
    if (policy_read(in_force, strlen(in_force), "x", NULL, &f->policy, &err) < 0)
        fail_msg("%s", err.message);
    learn_start(&f->learn, &f->policy, is_strict);
}

static void stop(struct fixture *f)
{
    learn_clear(&f->learn);
    policy_clear(&f->policy);
}

static int ask(struct fixture *f, int number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t arguments[6] = {a, b, c};
    const struct supervise_call call = {
        .is_native = true, .number = number, .arguments = arguments};
    return learn_note(&f->learn, &call);
}

/* What was learned, as a policy. */
static struct policy reread(const struct fixture *f)
{
    struct policy policy;
    struct error err = {0};
    json_t *document = learn_document(&f->learn, "learned", "d");
    char *text = json_dumps(document, 0);
    json_decref(document);
    if (policy_read(text, strlen(text), "learned", NULL, &policy, &err) < 0)
        fail_msg("%s: %s", err.message, text);
    free(text);
    return policy;
}

static void what_was_used_is_allowed_and_nothing_else(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&f, SYS_read, (uint64_t)i, 4096, 0), 0);
    assert_int_equal(ask(&f, SYS_mkdir, 0, 0, 0), 0);
    assert_int_equal(ask(&f, SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    assert_int_equal(ask(&f, SYS_socket, AF_INET, SOCK_STREAM, 6), 0);
    assert_int_equal(f.learn.count, 4);

    struct policy learned = reread(&f);
    const uint64_t local[6] = {AF_UNIX, SOCK_STREAM, 0}, datagrams[6] = {AF_UNIX, SOCK_DGRAM, 0};
    const uint64_t nothing[6] = {0};
    assert_int_equal(policy_answer(&learned, SYS_read, nothing), 0);
    assert_int_equal(policy_answer(&learned, SYS_mkdir, nothing), 0);
    assert_int_equal(policy_answer(&learned, SYS_write, nothing), EPERM);
    assert_int_equal(policy_answer(&learned, SYS_socket, local), 0);
    assert_int_equal(policy_answer(&learned, SYS_socket, datagrams), EPERM);
    assert_int_equal(policy_answer(&learned, SYS_clone3, nothing), ENOSYS);
    policy_clear(&learned);
    stop(&f);
}

static void the_difference_names_what_is_refused_and_what_is_too_much(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF struct buf refused = {0}, unused = {0};
    start(&f, false);
    ask(&f, SYS_read, 0, 0, 0);
    ask(&f, SYS_socket, AF_INET, SOCK_STREAM, 6);
    ask(&f, SYS_socket, AF_INET, SOCK_STREAM, 6);
    assert_int_equal(learn_describe_refused(&f.learn, &refused), 1);
    assert_string_equal(refused.data,
                        "socket when domain is AF_INET, type & SOCK_TYPE_MASK is SOCK_STREAM, "
                        "protocol is IPPROTO_TCP: refused with EPERM, 2 times\n");
    learn_describe_unused(&f.learn, &unused);
    assert_string_equal(unused.data, "x, calls[1]: local\n");
    stop(&f);
}

static void a_trial_answers_as_the_policy_does(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, true);
    assert_int_equal(ask(&f, SYS_read, 0, 0, 0), 0);
    assert_int_equal(ask(&f, SYS_mkdir, 0, 0, 0), EPERM);
    assert_int_equal(ask(&f, SYS_clone3, 0, 0, 0), ENOSYS);
    const uint64_t nothing[6] = {0};
    const struct supervise_call foreign = {.number = 1, .arguments = nothing};
    assert_int_equal(learn_note(&f.learn, &foreign), ENOSYS);
    assert_int_equal(f.learn.foreign, 1);
    stop(&f);
}

static void more_calls_than_there_is_room_for_are_counted(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, false);
    for (uint64_t i = 0; i < LEARN_CALLS_MAX + 5; i++)
        ask(&f, SYS_ioctl, 0, i, 0);
    assert_int_equal(f.learn.count, LEARN_CALLS_MAX);
    assert_int_equal(f.learn.forgotten, 5);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_is_allowed_and_nothing_else),
        cmocka_unit_test(the_difference_names_what_is_refused_and_what_is_too_much),
        cmocka_unit_test(a_trial_answers_as_the_policy_does),
        cmocka_unit_test(more_calls_than_there_is_room_for_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
