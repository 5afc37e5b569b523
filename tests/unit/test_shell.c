#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/link/shell.h"

/* The test plays the shell of a session at the other end of a real channel. */
struct fixture {
    struct hand_clock clock;
    struct loop *loop;
    struct shell shell;
    int peer_fd;
    struct channel_message message;
    unsigned broken;
};

/* One request and what came back. */
struct probe {
    struct shell_request request;
    unsigned entries;
    char last_path[64];
    unsigned done;
    int error_number;
    int fd;
};

static void on_broken(void *self)
{
    ((struct fixture *)self)->broken++;
}

static void on_entry(void *self, const struct file_entry_message *entry)
{
    struct probe *probe = self;
    probe->entries++;
    assert_true(strlen(entry->path) < sizeof probe->last_path);
    strcpy(probe->last_path, entry->path);
}

static void on_done(void *self, int error_number, int fd)
{
    struct probe *probe = self;
    probe->done++;
    probe->error_number = error_number;
    probe->fd = fd;
}

static int set_up(void **state)
{
    struct error err = {0};
    int pair[2];
    struct fixture *f = xcalloc(1, sizeof *f);
    f->loop = loop_create(clock_by_hand(&f->clock), &err);
    assert_int_equal(channel_pair(pair, &err), 0);
    f->peer_fd = pair[1];
    assert_int_equal(channel_set_nonblocking(f->peer_fd, &err), 0);
    shell_create(&f->shell, f->loop, on_broken, f);
    assert_int_equal(shell_attach(&f->shell, pair[0], &err), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    shell_close(&f->shell);
    channel_release(&f->message);
    close_fd(&f->peer_fd);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void settle(struct fixture *f)
{
    struct error err = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(loop_run_once(f->loop, 0, &err), 0);
}

static void ask(struct fixture *f, struct probe *probe, enum file_operation operation,
                const char *path, int fd)
{
    *probe = (struct probe){.fd = -1};
    probe->request =
        (struct shell_request){.on_entry = on_entry, .on_done = on_done, .self = probe};
    shell_send(&f->shell, &probe->request, operation, false, path, fd);
}

static struct file_request_message receive(struct fixture *f)
{
    struct error err = {0};
    struct file_request_message request;
    assert_int_equal(channel_receive(f->peer_fd, 1, &f->message, &err), CHANNEL_MESSAGE);
    assert_int_equal(f->message.frame.type, FRAME_FILE_REQUEST);
    assert_int_equal(payload_read_file_request(&f->message.frame, &request, &err), 0);
    return request;
}

static void answer_entry(struct fixture *f, uint64_t tag, const char *path)
{
    struct error err = {0};
    struct file_entry_message entry = {.kind = FILE_KIND_FILE};
    snprintf(entry.path, sizeof entry.path, "%s", path);
    assert_int_equal(channel_send(f->peer_fd, FRAME_FILE_ENTRY, tag, &entry,
                                  MESSAGE_LENGTH(&entry, path), NULL, 0, &err),
                     0);
    settle(f);
}

static void answer_done(struct fixture *f, uint64_t tag, int error_number, int fd)
{
    struct error err = {0};
    assert_int_equal(
        channel_send_result(f->peer_fd, FRAME_FILE_DONE, tag, error_number, "", fd, &err), 0);
    settle(f);
}

static void entries_and_the_end_reach_their_request(void **state)
{
    struct fixture *f = *state;
    struct probe first, second;
    ask(f, &first, FILE_LIST, "", -1);
    struct file_request_message request = receive(f);
    uint64_t first_tag = f->message.frame.tag;
    assert_int_equal(request.operation, FILE_LIST);
    ask(f, &second, FILE_STAT, "a.txt", -1);
    request = receive(f);
    uint64_t second_tag = f->message.frame.tag;
    assert_memory_equal(request.path, "a.txt", 5);

    answer_done(f, second_tag, ENOENT, -1); /* in any order */
    answer_entry(f, first_tag, "x");
    answer_entry(f, first_tag, "yy");
    answer_done(f, first_tag, 0, -1);
    assert_int_equal(second.error_number, ENOENT);
    assert_int_equal(first.entries, 2);
    assert_string_equal(first.last_path, "yy");
    assert_int_equal(first.done, 1);
    assert_int_equal(first.error_number, 0);
}

static void descriptors_travel_both_ways(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    ask(f, &probe, FILE_COMMIT, "a.txt", ends[1]); /* taken */
    receive(f);
    assert_int_equal(f->message.fd_count, 1);
    answer_done(f, f->message.frame.tag, 0, ends[0]);
    assert_true(probe.fd >= 0);
    close_fd(&probe.fd);
    close_fd(&ends[0]);
}

static void answers_to_nobody_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    ask(f, &probe, FILE_STAT, "a.txt", -1);
    receive(f);
    uint64_t tag = f->message.frame.tag;
    answer_done(f, tag + 1, 0, f->peer_fd);
    assert_int_equal(probe.done, 0);

    shell_cancel(&probe.request);
    answer_done(f, tag, 0, -1);
    assert_int_equal(probe.done, 0);
    assert_int_equal(f->broken, 0);
}

static void pass(struct fixture *f, int64_t ms)
{
    f->clock.time_ms += ms;
    settle(f);
}

static void a_shell_that_owes_an_answer_and_is_silent_is_broken(void **state)
{
    struct fixture *f = *state;
    struct probe first, second;
    ask(f, &first, FILE_STAT, "a.txt", -1);
    pass(f, SHELL_SILENCE_MS - 1);
    ask(f, &second, FILE_STAT, "b.txt", -1); /* who asks gives it no more time */
    assert_int_equal(first.done + second.done, 0);
    pass(f, 1);
    assert_int_equal(first.error_number, ETIMEDOUT);
    assert_int_equal(second.error_number, ETIMEDOUT);
    assert_int_equal(first.done, 1);
    assert_int_equal(second.done, 1);
    assert_int_equal(f->broken, 1);
}

static void a_shell_that_goes_on_answering_may_take_its_time(void **state)
{
    struct fixture *f = *state;
    struct probe first, second;
    ask(f, &first, FILE_LIST, "", -1);
    receive(f);
    uint64_t tag = f->message.frame.tag;
    ask(f, &second, FILE_STAT, "b.txt", -1);
    for (int i = 0; i < 3; i++) {
        pass(f, SHELL_SILENCE_MS - 1);
        answer_entry(f, tag, "x");
    }
    answer_done(f, tag, 0, -1);
    pass(f, SHELL_SILENCE_MS - 1);
    assert_int_equal(first.entries, 3);
    assert_int_equal(second.done, 0);
    shell_cancel(&second.request);
    pass(f, SHELL_SILENCE_MS); /* it owes nothing */
    assert_int_equal(f->broken, 0);
}

static void requests_end_with_their_session(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    ask(f, &probe, FILE_STAT, "a.txt", -1);
    close_fd(&f->peer_fd);
    settle(f);
    assert_int_equal(f->broken, 1);
    assert_int_equal(probe.done, 0);
    shell_close(&f->shell);
    assert_int_equal(probe.done, 1);
    assert_int_equal(probe.error_number, ESRCH);
}

static void a_malformed_answer_breaks_the_channel(void **state)
{
    struct fixture *f = *state;
    struct probe probe;
    struct error err = {0};
    ask(f, &probe, FILE_STAT, "a.txt", -1);
    receive(f);
    assert_int_equal(
        channel_send(f->peer_fd, FRAME_FILE_ENTRY, f->message.frame.tag, "?", 1, NULL, 0, &err), 0);
    settle(f);
    assert_int_equal(f->broken, 1);
    shell_close(&f->shell);
    assert_int_equal(probe.error_number, ESRCH);
}

static void what_the_channel_does_not_take_waits(void **state)
{
    struct fixture *f = *state;
    enum { REQUESTS = 500 };
    static struct probe probes[REQUESTS];
    static char path[FILE_PATH_MAX];
    memset(path, 'a', 200);
    for (int i = 0; i < REQUESTS; i++)
        ask(f, &probes[i], FILE_STAT, path, -1);
    assert_non_null(f->shell.outbox.first);
    for (int i = 0; i < REQUESTS; i++) {
        receive(f);
        assert_int_equal(f->message.frame.tag, probes[i].request.tag);
        settle(f);
    }
    assert_null(f->shell.outbox.first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_and_the_end_reach_their_request),
        TEST(descriptors_travel_both_ways),
        TEST(answers_to_nobody_are_dropped),
        TEST(a_shell_that_owes_an_answer_and_is_silent_is_broken),
        TEST(a_shell_that_goes_on_answering_may_take_its_time),
        TEST(requests_end_with_their_session),
        TEST(a_malformed_answer_breaks_the_channel),
        TEST(what_the_channel_does_not_take_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
