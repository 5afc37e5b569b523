#include "sandboxd/link/refusals.h"

#include <linux/fs.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/support/unit.h"

static int read_lines(struct refusals *refusals, const char *text)
{
    return refusals_read(refusals, (const uint8_t *)text, strlen(text), NULL);
}

static void each_kind_is_read(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    assert_int_equal(read_lines(&refusals, "network\texample.com\t443\t2\t<cell 1>\t3\n"
                                           "file\t/etc/x\t30\t1\t<cell 1>\t4\n"
                                           "process\tos.kill\t1\t1\t\t0\n"
                                           "ended\tnetwork\t0\t1\t\t0\n"),
                     0);
    assert_int_equal(refusals.count, 3);
    assert_true(refusals.network_ended_it);
    const struct refusal *network = &refusals.items[0];
    assert_int_equal(network->kind, REFUSAL_NETWORK);
    assert_string_equal(network->subject, "example.com");
    assert_int_equal(network->number, 443);
    assert_int_equal(network->count, 2);
    assert_string_equal(network->file, "<cell 1>");
    assert_int_equal(network->line, 3);
    assert_int_equal(refusals.items[1].kind, REFUSAL_FILE);
    assert_int_equal(refusals.items[2].kind, REFUSAL_PROCESS);
    refusals_clear(&refusals);
}

static void with_a_network_hosts_are_no_refusals(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    assert_int_equal(read_lines(&refusals, "network\texample.com\t443\t2\t<cell 1>\t3\n"
                                           "file\t/etc/x\t30\t1\t<cell 1>\t4\n"
                                           "ended\tnetwork\t113\t1\t\t0\n"),
                     0);
    refusals_forget_network(&refusals);
    assert_int_equal(refusals.count, 1);
    assert_int_equal(refusals.items[0].kind, REFUSAL_FILE);
    assert_true(refusals.network_ended_it); /* by its rules, perhaps: answer.c knows them */
    assert_int_equal(refusals.network_error, 113);
    refusals_clear(&refusals);
}

static void what_is_not_such_a_line_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "\n",
        "network\thost\t1\t1\t\t0",      /* no line end */
        "network\thost\t1\t1\t\n",       /* a field short */
        "network\thost\t1\t1\t\t0\tx\n", /* one too many */
        "network\thost\t-1\t1\t\t0\n",
        "network\thost\t4294967296\t1\t\t0\n",
        "network\thost\t1\t\t\t0\n",
        "network\tho\x1bst\t1\t1\t\t0\n",
        "Network\thost\t1\t1\t\t0\n",
        "call\tmount\t1\t1\t\t0\n", /* the broker's word only */
        "ended\tmemory\t0\t1\t\t0\n",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct refusals refusals = {0};
        if (read_lines(&refusals, cases[i]) == 0)
            fail_msg("case %zu passed", i);
        refusals_clear(&refusals);
    }
}

static void a_subject_has_at_most_255_bytes(void **state)
{
    (void)state;
    for (int length = REFUSAL_TEXT_MAX; length <= REFUSAL_TEXT_MAX + 1; length++) {
        struct refusals refusals = {0};
        char path[REFUSAL_TEXT_MAX + 2] = "", line[REFUSAL_TEXT_MAX + 64];
        memset(path, 'x', (size_t)length);
        snprintf(line, sizeof line, "file\t%s\t30\t1\t\t0\n", path);
        assert_int_equal(read_lines(&refusals, line), length > REFUSAL_TEXT_MAX ? -1 : 0);
        refusals_clear(&refusals);
    }
}

static void what_programs_try_by_habit_is_passed_over(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    static const uint64_t clone[REFUSAL_ARGUMENTS] = {4, FICLONE};
    static const uint64_t netlink[REFUSAL_ARGUMENTS] = {AF_NETLINK},
                          vsock[REFUSAL_ARGUMENTS] = {AF_VSOCK};
    refusals_add_call(&refusals, SYS_ioctl, clone);
    refusals_add_call(&refusals, SYS_socket, netlink);
    assert_int_equal(refusals.count, 0);
    refusals_add_call(&refusals, SYS_socket, vsock);
    assert_int_equal(refusals.count, 1);
    refusals_clear(&refusals);
}

static void the_same_is_counted_and_different_ones_are_bounded(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    uint64_t arguments[REFUSAL_ARGUMENTS] = {7};
    for (int i = 0; i < 3; i++) {
        refusals_add_call(&refusals, 165, arguments);
        arguments[0]++;
    }
    assert_int_equal(refusals.count, 1);
    assert_int_equal(refusals.items[0].count, 3);
    assert_int_equal(refusals.items[0].arguments[0], 7);
    for (uint32_t number = 1; number <= REFUSALS_MAX + 10; number++)
        refusals_add_call(&refusals, number, arguments);
    assert_int_equal(refusals.count, REFUSALS_MAX);
    refusals_clear(&refusals);
    assert_int_equal(refusals.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read),
        cmocka_unit_test(with_a_network_hosts_are_no_refusals),
        cmocka_unit_test(what_is_not_such_a_line_is_refused),
        cmocka_unit_test(a_subject_has_at_most_255_bytes),
        cmocka_unit_test(what_programs_try_by_habit_is_passed_over),
        cmocka_unit_test(the_same_is_counted_and_different_ones_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
