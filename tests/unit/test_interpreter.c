#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/core/cleanup.h"
#include "sandboxd/link/interpreter.h"

/* The test plays the guest's interpreter at the other end of a real channel and real pipes. */
struct fixture {
    struct hand_clock clock;
    struct loop *loop;
    struct interpreter interpreter;
    int peer_fd;
    int output_fd;
    int errors_fd;
    struct channel_message message;
    uint64_t nonce; /* of the last frame received */
    struct run run;
    unsigned finished;
    unsigned idle;
    unsigned interrupts;
    unsigned kills;
    bool is_denied;
};

static void on_idle(void *self)
{
    ((struct fixture *)self)->idle++;
}

static void on_interrupt(void *self)
{
    ((struct fixture *)self)->interrupts++;
}

static void on_kill(void *self)
{
    ((struct fixture *)self)->kills++;
}

static void on_catch_up(void *self)
{
    static const struct denied_message denied = {.number = 165};
    struct fixture *f = self;
    if (f->is_denied)
        interpreter_on_denied(&f->interpreter, &denied);
}

static void on_finished(void *self, struct run *run)
{
    struct fixture *f = self;
    f->finished++;
    assert_ptr_equal(run, &f->run);
}

static void settle(struct fixture *f)
{
    struct error err = {0};
    for (int i = 0; i < 8; i++)
        assert_int_equal(loop_run_once(f->loop, 0, &err), 0);
}

static void attach(struct fixture *f, int64_t ping_timeout_ms)
{
    struct error err = {0};
    int channel[2], output[2], errors[2];
    assert_int_equal(channel_pair(channel, &err), 0);
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
    f->peer_fd = channel[1];
    f->output_fd = output[1];
    f->errors_fd = errors[1];
    assert_int_equal(channel_set_nonblocking(f->peer_fd, &err), 0);
    assert_int_equal(interpreter_attach(&f->interpreter, channel[0], output[0], errors[0],
                                        ping_timeout_ms, &err),
                     0);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->clock.time_ms = 1000;
    f->loop = loop_create(clock_by_hand(&f->clock), &err);
    struct interpreter_events events = {.on_idle = on_idle,
                                        .interrupt = on_interrupt,
                                        .kill = on_kill,
                                        .catch_up = on_catch_up,
                                        .self = f};
    interpreter_create(&f->interpreter, f->loop, &events);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    interpreter_close(&f->interpreter);
    channel_release(&f->message);
    close_fd(&f->peer_fd);
    close_fd(&f->output_fd);
    close_fd(&f->errors_fd);
    run_clear(&f->run);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void reply(struct fixture *f, enum frame_type type, uint64_t tag, const void *data,
                  size_t length)
{
    struct error err = {0};
    assert_int_equal(channel_send(f->peer_fd, type, tag, data, length, NULL, 0, &err), 0);
    settle(f);
}

static void attach_ready(struct fixture *f)
{
    attach(f, -1);
    reply(f, FRAME_READY, 0, NULL, 0);
}

static bool receive(struct fixture *f)
{
    struct error err = {0};
    settle(f);
    if (channel_receive(f->peer_fd, 0, &f->message, &err) != CHANNEL_MESSAGE)
        return false;
    f->nonce = f->message.frame.tag;
    return true;
}

static void run_code(struct fixture *f, const char *code)
{
    f->run = (struct run){.code = code,
                          .code_length = strlen(code),
                          .timeout_ms = 5000,
                          .on_finished = on_finished,
                          .self = f};
    interpreter_start_run(&f->interpreter, &f->run);
}

/* Starts a program and takes it in, as the interpreter would. */
static void run_and_receive(struct fixture *f, const char *code)
{
    run_code(f, code);
    while (receive(f) && f->message.frame.type != FRAME_RUN)
        ;
    assert_int_equal(f->message.frame.type, FRAME_RUN);
}

static void reply_done(struct fixture *f, uint64_t nonce, enum done_display display)
{
    struct done_message done = {.succeeded = true, .display = display, .wall_us = 1500};
    reply(f, FRAME_DONE, nonce, &done, sizeof done);
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
}

static void an_execution_brings_streams_and_result(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    assert_int_equal(f->idle, 1);

    run_code(f, "1 + 1");
    assert_true(receive(f));
    assert_int_equal(f->message.frame.type, FRAME_RUN);
    assert_int_equal(f->message.frame.length, 5);
    assert_memory_equal(f->message.frame.payload, "1 + 1", 5);

    say(f->output_fd, "hello\n");
    say(f->errors_fd, "oops\n");
    reply(f, FRAME_RESULT_TEXT, f->nonce, "2", 1);
    assert_int_equal(f->finished, 0);
    reply_done(f, f->nonce, DISPLAY_TEXT);
    assert_int_equal(f->finished, 1);
    assert_int_equal(f->run.outcome, RUN_FINISHED);
    assert_int_equal(f->run.done.wall_us, 1500);
    assert_string_equal(f->run.output.head.data, "hello\n");
    assert_string_equal(f->run.errors.head.data, "oops\n");
    assert_string_equal(f->run.result.data, "2");
    assert_int_equal(f->idle, 2);
}

static void what_was_refused_until_its_end_is_told(void **state)
{
    static const char lines[] = "network\texample.com\t443\t1\t\t0\n";
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "x");
    reply(f, FRAME_REFUSALS, f->nonce, lines, sizeof lines - 1);
    f->is_denied = true;
    reply_done(f, f->nonce, DISPLAY_NOTHING);
    assert_int_equal(f->run.refusals.count, 2);
    assert_string_equal(f->run.refusals.items[0].subject, "example.com");
    assert_int_equal(f->run.refusals.items[1].number, 165);
    on_catch_up(f); /* nobody's any more */
    assert_int_equal(f->run.refusals.count, 2);
}

static void refusals_in_another_form_end_the_interpreter(void **state)
{
    static const char lines[] = "network\texample.com\t443\t1\t\t0\n";
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "x");
    reply(f, FRAME_REFUSALS, f->nonce, lines, sizeof lines - 1);
    assert_int_equal(f->kills, 0);
    reply(f, FRAME_REFUSALS, f->nonce, lines, sizeof lines - 1); /* a second time */
    assert_int_equal(f->kills, 1);
}

static void output_written_just_before_the_end_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    attach_ready(f);
    run_and_receive(f, "x");
    struct done_message done = {.succeeded = true};
    say(f->output_fd, "last words");
    assert_int_equal(
        channel_send(f->peer_fd, FRAME_DONE, f->nonce, &done, sizeof done, NULL, 0, &err), 0);
    settle(f);
    assert_string_equal(f->run.output.head.data, "last words");
}

static void late_output_of_an_earlier_execution_is_dropped(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    say(f->output_fd, "from a thread");
    run_and_receive(f, "x");
    say(f->output_fd, "mine");
    reply_done(f, f->nonce, DISPLAY_NOTHING);
    assert_string_equal(f->run.output.head.data, "mine");
}

static void long_code_is_sent_in_chunks_while_the_peer_reads(void **state)
{
    struct fixture *f = *state;
    enum { LENGTH = 3 * 1024 * 1024 };
    attach_ready(f);
    AUTO_FREE char *code = xcalloc(1, LENGTH + 1);
    memset(code, '#', LENGTH);
    run_code(f, code);
    size_t got = 0;
    while (receive(f) && f->message.frame.type == FRAME_CODE)
        got += f->message.frame.length;
    assert_int_equal(f->message.frame.type, FRAME_RUN);
    assert_int_equal(got + f->message.frame.length, LENGTH);
    reply_done(f, f->nonce, DISPLAY_NOTHING);
    assert_int_equal(f->finished, 1);
}

static void a_command_is_sent_as_one(void **state)
{
    struct fixture *f = *state;
    static const char words[] = "echo\0hello"; /* and the last NUL */
    attach_ready(f);
    f->run = (struct run){.code = words,
                          .code_length = sizeof words,
                          .is_command = true,
                          .timeout_ms = 5000,
                          .on_finished = on_finished,
                          .self = f};
    interpreter_start_run(&f->interpreter, &f->run);
    assert_true(receive(f));
    assert_int_equal(f->message.frame.type, FRAME_COMMAND);
    assert_int_equal(f->message.frame.length, sizeof words);
    reply(f, FRAME_RESULT_TEXT, f->nonce, "0", 1);
    reply_done(f, f->nonce, DISPLAY_TEXT);
    assert_int_equal(f->finished, 1);
    assert_string_equal(f->run.result.data, "0");
}

static void a_wrong_nonce_ends_the_interpreter(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "x");
    reply_done(f, f->nonce + 1, DISPLAY_NOTHING);
    assert_int_equal(f->finished, 0);
    assert_int_equal(f->kills, 1);

    struct gone_message gone = {.wait_status = SIGKILL};
    interpreter_on_gone(&f->interpreter, &gone);
    assert_int_equal(f->finished, 1);
    assert_int_equal(f->run.outcome, RUN_ABORTED);
    assert_non_null(strstr(f->run.ending, "must not"));
    assert_int_equal(f->idle, 1);
}

static void frames_nobody_asked_for_end_the_interpreter(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    reply(f, FRAME_READY, 0, NULL, 0);
    assert_int_equal(f->kills, 1);
}

static void a_result_of_another_kind_than_announced_ends_the_interpreter(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "x");
    reply(f, FRAME_RESULT_IMAGE, f->nonce, "png", 3);
    reply_done(f, f->nonce, DISPLAY_TEXT);
    assert_int_equal(f->kills, 1);
    assert_int_equal(f->finished, 0);
}

static void the_deadline_interrupts_and_then_kills(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "while True: pass");
    f->clock.time_ms += 4999;
    settle(f);
    assert_int_equal(f->interrupts, 0);
    f->clock.time_ms += 1;
    settle(f);
    assert_int_equal(f->interrupts, 1);
    interpreter_on_signalled(&f->interpreter);

    f->clock.time_ms += INTERPRETER_GRACE_MS - 1;
    settle(f);
    assert_int_equal(f->kills, 0);
    f->clock.time_ms += 1;
    settle(f);
    assert_int_equal(f->kills, 1);

    struct gone_message gone = {.wait_status = SIGKILL};
    interpreter_on_gone(&f->interpreter, &gone);
    assert_int_equal(f->run.outcome, RUN_TIMED_OUT);
    assert_int_equal(f->interpreter.state, INTERPRETER_NONE);
}

static void a_canceled_run_is_interrupted_at_once_and_then_killed(void **state)
{
    struct fixture *f = *state;
    struct run another = {0};
    attach_ready(f);
    run_and_receive(f, "while True: pass");
    interpreter_cancel(&f->interpreter, &another);
    assert_int_equal(f->interrupts, 0);
    interpreter_cancel(&f->interpreter, &f->run);
    interpreter_cancel(&f->interpreter, &f->run);
    assert_int_equal(f->interrupts, 1);
    interpreter_on_signalled(&f->interpreter);
    f->clock.time_ms += INTERPRETER_GRACE_MS;
    settle(f);
    assert_int_equal(f->kills, 1);
    struct gone_message gone = {.wait_status = SIGKILL};
    interpreter_on_gone(&f->interpreter, &gone);
    assert_int_equal(f->run.outcome, RUN_CANCELED);
}

static void the_next_run_waits_for_the_answer_to_the_interrupt(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "time.sleep(9)");
    f->clock.time_ms += 5000;
    settle(f);
    reply_done(f, f->nonce, DISPLAY_NOTHING);
    assert_int_equal(f->run.outcome, RUN_TIMED_OUT);
    assert_int_equal(f->finished, 1);
    assert_int_equal(f->idle, 1);

    interpreter_on_signalled(&f->interpreter);
    assert_int_equal(f->idle, 2);
}

static void a_death_says_how_it_ended(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "crash()");
    say(f->output_fd, "before");
    struct gone_message gone = {.wait_status = SIGSEGV};
    interpreter_on_gone(&f->interpreter, &gone);
    assert_int_equal(f->run.outcome, RUN_ABORTED);
    assert_non_null(strstr(f->run.ending, "SIGSEGV"));
    assert_string_equal(f->run.output.head.data, "before");
}

static void an_answer_sent_just_before_death_counts(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    attach_ready(f);
    run_and_receive(f, "x");
    struct done_message done = {.succeeded = true};
    channel_send(f->peer_fd, FRAME_DONE, f->nonce, &done, sizeof done, NULL, 0, &err);
    struct gone_message gone = {.wait_status = 3 << 8};
    interpreter_on_gone(&f->interpreter, &gone);
    assert_int_equal(f->run.outcome, RUN_FINISHED);
    assert_int_equal(f->finished, 1);
}

static void a_closed_channel_ends_the_interpreter(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    close_fd(&f->peer_fd);
    settle(f);
    assert_int_equal(f->kills, 1);
}

static void a_result_is_cut_at_its_limit(void **state)
{
    struct fixture *f = *state;
    attach_ready(f);
    run_and_receive(f, "x");
    static char chunk[FRAME_PAYLOAD_MAX];
    size_t sent = 0;
    for (; sent <= RESULT_BYTES_LIMIT; sent += sizeof chunk)
        reply(f, FRAME_RESULT_TEXT, f->nonce, chunk, sizeof chunk);
    reply_done(f, f->nonce, DISPLAY_TEXT);
    assert_int_equal(f->finished, 1);
    assert_int_equal(f->run.result.length, RESULT_BYTES_LIMIT);
    assert_int_equal(f->run.result_total, sent);
}

static void an_adopted_interpreter_answers_before_it_runs_anything(void **state)
{
    struct fixture *f = *state;
    attach(f, 7000);
    assert_true(receive(f));
    assert_int_equal(f->message.frame.type, FRAME_PING);
    uint64_t ping = f->nonce;
    say(f->output_fd, "nobody asked for this"); /* must not wait for a reader */
    settle(f);
    int unread = -1;
    assert_int_equal(ioctl(f->interpreter.stream_fds[0], FIONREAD, &unread), 0);
    assert_int_equal(unread, 0);
    reply_done(f, 4711, DISPLAY_NOTHING); /* the end of what an earlier front started */
    assert_int_equal(f->idle, 0);
    reply(f, FRAME_PONG, ping, NULL, 0);
    assert_int_equal(f->idle, 1);
    assert_int_equal(f->kills, 0);
}

static void an_adopted_interpreter_that_does_not_answer_is_killed(void **state)
{
    struct fixture *f = *state;
    attach(f, 7000);
    f->clock.time_ms += 7000;
    settle(f);
    assert_int_equal(f->kills, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_execution_brings_streams_and_result),
        TEST(what_was_refused_until_its_end_is_told),
        TEST(refusals_in_another_form_end_the_interpreter),
        TEST(output_written_just_before_the_end_is_not_lost),
        TEST(late_output_of_an_earlier_execution_is_dropped),
        TEST(long_code_is_sent_in_chunks_while_the_peer_reads),
        TEST(a_command_is_sent_as_one),
        TEST(a_wrong_nonce_ends_the_interpreter),
        TEST(frames_nobody_asked_for_end_the_interpreter),
        TEST(a_result_of_another_kind_than_announced_ends_the_interpreter),
        TEST(the_deadline_interrupts_and_then_kills),
        TEST(a_canceled_run_is_interrupted_at_once_and_then_killed),
        TEST(the_next_run_waits_for_the_answer_to_the_interrupt),
        TEST(a_death_says_how_it_ended),
        TEST(an_answer_sent_just_before_death_counts),
        TEST(a_closed_channel_ends_the_interpreter),
        TEST(a_result_is_cut_at_its_limit),
        TEST(an_adopted_interpreter_answers_before_it_runs_anything),
        TEST(an_adopted_interpreter_that_does_not_answer_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
