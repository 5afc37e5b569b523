#include "sandboxd/control/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

struct fixture {
    int fds[2];
    struct channel_message message;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct error err;
    *state = f;
    return channel_pair(f->fds, &err);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    channel_release(&f->message);
    close_fd(&f->fds[0]);
    close_fd(&f->fds[1]);
    free(f);
    return 0;
}

static void a_frame_arrives_with_its_descriptors(void **state)
{
    struct fixture *f = *state;
    AUTO_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct error err = {0};
    assert_int_equal(channel_send(f->fds[0], FRAME_SESSION_STARTED, 7, "ab", 2, &null_fd, 1, &err),
                     0);
    assert_int_equal(channel_receive(f->fds[1], 4, &f->message, &err), CHANNEL_MESSAGE);
    assert_int_equal(f->message.frame.type, FRAME_SESSION_STARTED);
    assert_int_equal(f->message.frame.tag, 7);
    assert_memory_equal(f->message.frame.payload, "ab", 2);
    assert_int_equal(f->message.fd_count, 1);

    AUTO_CLOSE int got = channel_take_fd(&f->message, 0);
    assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(channel_take_fd(&f->message, 0), -1);
    assert_int_equal(channel_take_fd(&f->message, 9), -1);
}

static void descriptors_that_nobody_took_are_closed(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    struct error err = {0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(channel_send(f->fds[0], FRAME_PONG, 1, NULL, 0, &ends[1], 1, &err), 0);
    close(ends[1]);
    assert_int_equal(channel_receive(f->fds[1], 1, &f->message, &err), CHANNEL_MESSAGE);
    channel_release(&f->message);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody can write any more */
    close(ends[0]);
}

static void a_guest_that_sends_descriptors_breaks_the_channel(void **state)
{
    struct fixture *f = *state;
    AUTO_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct error err = {0};
    assert_int_equal(channel_send(f->fds[0], FRAME_PONG, 1, NULL, 0, &null_fd, 1, &err), 0);
    assert_int_equal(channel_receive(f->fds[1], 0, &f->message, &err), CHANNEL_BROKEN);
}

static void bytes_that_are_no_frame_break_the_channel(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_int_equal(send(f->fds[0], "rubbish", 7, 0), 7);
    assert_int_equal(channel_receive(f->fds[1], 0, &f->message, &err), CHANNEL_BROKEN);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void an_empty_channel_and_a_gone_peer_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_int_equal(channel_set_nonblocking(f->fds[1], &err), 0);
    assert_int_equal(channel_receive(f->fds[1], 0, &f->message, &err), CHANNEL_EMPTY);
    close_fd(&f->fds[0]);
    assert_int_equal(channel_receive(f->fds[1], 0, &f->message, &err), CHANNEL_CLOSED);
    assert_int_equal(channel_send(f->fds[1], FRAME_PONG, 1, NULL, 0, NULL, 0, &err), -1);
    assert_int_equal(err.code, ERROR_MISSING);
}

static void a_full_channel_is_a_limit(void **state)
{
    struct fixture *f = *state;
    static const char payload[FRAME_BYTES_MAX - FRAME_HEADER_BYTES];
    struct error err = {0};
    assert_int_equal(channel_set_nonblocking(f->fds[0], &err), 0);
    int sent = 0;
    while (channel_send(f->fds[0], FRAME_PONG, 1, payload, sizeof payload, NULL, 0, &err) == 0)
        sent++;
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_true(sent > 0);
    for (int i = 0; i < sent; i++) {
        assert_int_equal(channel_receive(f->fds[1], 0, &f->message, &err), CHANNEL_MESSAGE);
        assert_int_equal(f->message.frame.length, sizeof payload);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_frame_arrives_with_its_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_that_nobody_took_are_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_that_sends_descriptors_breaks_the_channel, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_frame_break_the_channel, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_channel_and_a_gone_peer_are_told_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_channel_is_a_limit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
