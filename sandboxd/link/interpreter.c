#include "sandboxd/link/interpreter.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"

enum {
    READ_BYTES = 64 * 1024,
    STREAM_WATCH_DELAY_MS = 2, /* a program that has filled its pipe waits that long at most */
    LAST_FRAMES_MAX = 1024,    /* read after an interpreter's end: more than a channel holds */
};

/* One thread reads everything, and nothing is kept between two reads. */
static char read_space[READ_BYTES];
static struct channel_message received;

void run_clear(struct run *run)
{
    capture_close(&run->output);
    capture_close(&run->errors);
    buf_free(&run->result);
    refusals_clear(&run->refusals);
}

void interpreter_create(struct interpreter *interpreter, struct loop *loop,
                        const struct interpreter_events *events)
{
    *interpreter = (struct interpreter){
        .loop = loop,
        .events = *events,
        .channel_fd = -1,
        .stream_fds = {-1, -1},
    };
}

static void unwatch_streams(struct interpreter *interpreter)
{
    loop_stop_timer(interpreter->loop, &interpreter->stream_timer);
    for (int i = 0; i < 2; i++)
        loop_unwatch(interpreter->loop, &interpreter->stream_watches[i]);
}

void interpreter_close(struct interpreter *interpreter)
{
    loop_stop_timer(interpreter->loop, &interpreter->deadline);
    loop_unwatch(interpreter->loop, &interpreter->channel_watch);
    unwatch_streams(interpreter);
    close_fd(&interpreter->channel_fd);
    close_fd(&interpreter->stream_fds[0]);
    close_fd(&interpreter->stream_fds[1]);
    interpreter->state = INTERPRETER_NONE;
}

/* Reads what a stream holds now, but no more than `most` bytes. False at its end. */
static bool read_stream(int fd, struct capture *capture, size_t most)
{
    size_t seen = 0;
    while (seen < most) {
        ssize_t n = read(fd, read_space, sizeof read_space);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        if (capture)
            capture_append(capture, read_space, (size_t)n);
        seen += (size_t)n;
    }
    return true;
}

static void on_stream(struct interpreter *interpreter, int index)
{
    struct run *run = interpreter->run;
    /* Without a run it is the output of one for an earlier front, which must not wait for a reader.
     */
    struct capture *capture = !run ? NULL : index == 0 ? &run->output : &run->errors;
    if (!read_stream(interpreter->stream_fds[index], capture, sizeof read_space))
        loop_unwatch(interpreter->loop, &interpreter->stream_watches[index]);
    if (run && run->on_output)
        run->on_output(run->self, run);
}

static void on_stdout(void *self, uint32_t events)
{
    (void)events;
    on_stream(self, 0);
}

static void on_stderr(void *self, uint32_t events)
{
    (void)events;
    on_stream(self, 1);
}

static void kill_interpreter(struct interpreter *interpreter)
{
    if (interpreter->state == INTERPRETER_DYING)
        return;
    interpreter->state = INTERPRETER_DYING;
    loop_unwatch(interpreter->loop, &interpreter->channel_watch);
    loop_stop_timer(interpreter->loop, &interpreter->deadline);
    interpreter->events.kill(interpreter->events.self);
}

static void break_off(struct interpreter *interpreter)
{
    interpreter->broke_protocol = true;
    kill_interpreter(interpreter);
}

static void become_idle(struct interpreter *interpreter)
{
    interpreter->state = INTERPRETER_IDLE;
    interpreter->events.on_idle(interpreter->events.self);
}

/* Takes the run off the interpreter and reads what is left in the pipes. */
static struct run *end_run(struct interpreter *interpreter)
{
    struct run *run = interpreter->run;
    run->answered_us = clock_monotonic_us();
    loop_stop_timer(interpreter->loop, &interpreter->deadline);
    unwatch_streams(interpreter);
    read_stream(interpreter->stream_fds[0], &run->output, PIPE_DRAIN_BYTES_MAX);
    read_stream(interpreter->stream_fds[1], &run->errors, PIPE_DRAIN_BYTES_MAX);
    interpreter->run = NULL;
    return run;
}

static enum run_outcome outcome_of(const struct interpreter *interpreter,
                                   enum run_outcome undisturbed)
{
    if (interpreter->canceled)
        return RUN_CANCELED;
    return interpreter->interrupted ? RUN_TIMED_OUT : undisturbed;
}

static void finish_run(struct interpreter *interpreter, const struct done_message *done)
{
    interpreter->events.catch_up(interpreter->events.self);
    struct run *run = end_run(interpreter);
    run->done = *done;
    run->outcome = outcome_of(interpreter, RUN_FINISHED);
    interpreter->state = INTERPRETER_SETTLING;
    run->on_finished(run->self, run);
    if (interpreter->state == INTERPRETER_SETTLING && !interpreter->signal_pending)
        become_idle(interpreter);
}

/* Sends chunks of the source until the channel is full; the loop calls again when there is room. */
static void send_code(struct interpreter *interpreter)
{
    struct run *run = interpreter->run;
    struct error err = {0};
    while (!run->sent_all) {
        size_t left = run->code_length - run->sent;
        size_t length = left < FRAME_PAYLOAD_MAX ? left : FRAME_PAYLOAD_MAX;
        enum frame_type type = left > FRAME_PAYLOAD_MAX ? FRAME_CODE
                               : run->is_command        ? FRAME_COMMAND
                                                        : FRAME_RUN;
        if (channel_send(interpreter->channel_fd, type, run->nonce, run->code + run->sent, length,
                         NULL, 0, &err) < 0)
            break;
        run->sent += length;
        run->sent_all = type != FRAME_CODE;
    }
    bool waits = !run->sent_all && err.code == ERROR_LIMIT;
    loop_change(interpreter->loop, &interpreter->channel_watch,
                waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static bool take_result(struct run *run, const struct frame *frame)
{
    if (run->result_type && run->result_type != frame->type)
        return false;
    run->result_type = frame->type;
    run->result_total += frame->length;
    size_t room = RESULT_BYTES_LIMIT - run->result.length;
    return buf_append(&run->result, frame->payload, frame->length < room ? frame->length : room);
}

static bool take_refusals(struct run *run, const struct frame *frame)
{
    bool first = !run->told_refusals;
    run->told_refusals = true;
    if (!first || refusals_read(&run->refusals, frame->payload, frame->length, NULL) < 0)
        return false;
    if (run->egress.enabled)
        refusals_forget_network(&run->refusals);
    return true;
}

static void on_run_frame(struct interpreter *interpreter, const struct frame *frame)
{
    static const enum frame_type announced[DISPLAY_END] = {
        [DISPLAY_TEXT] = FRAME_RESULT_TEXT,
        [DISPLAY_IMAGE] = FRAME_RESULT_IMAGE,
    };
    struct run *run = interpreter->run;
    struct done_message done;
    bool good = frame->tag == run->nonce && run->sent_all;
    if (good && (frame->type == FRAME_RESULT_TEXT || frame->type == FRAME_RESULT_IMAGE)) {
        good = take_result(run, frame);
    } else if (good && frame->type == FRAME_REFUSALS) {
        good = take_refusals(run, frame);
    } else if (good && frame->type == FRAME_DONE) {
        good = payload_read_done(frame, &done, NULL) == 0 &&
               (announced[done.display] == run->result_type || run->result_type == 0);
        if (good)
            finish_run(interpreter, &done);
    } else {
        good = false;
    }
    if (!good)
        break_off(interpreter);
}

static void on_frame(struct interpreter *interpreter, const struct frame *frame)
{
    switch (interpreter->state) {
    case INTERPRETER_RUNNING:
        on_run_frame(interpreter, frame);
        return;
    case INTERPRETER_GREETING:
        if (frame->type == FRAME_READY && frame->tag == 0)
            become_idle(interpreter);
        else
            break_off(interpreter);
        return;
    case INTERPRETER_PINGED:
        /* Anything else is the rest of what it was doing for the front before this one. */
        if (frame->type == FRAME_PONG && frame->tag == interpreter->ping_nonce) {
            loop_stop_timer(interpreter->loop, &interpreter->deadline);
            unwatch_streams(interpreter);
            become_idle(interpreter);
        }
        return;
    default:
        break_off(interpreter);
    }
}

/* False when there is nothing more to read now. */
static bool receive_one(struct interpreter *interpreter)
{
    switch (channel_receive(interpreter->channel_fd, 0, &received, NULL)) {
    case CHANNEL_MESSAGE:
        on_frame(interpreter, &received.frame);
        return true;
    case CHANNEL_EMPTY:
        return false;
    case CHANNEL_CLOSED:
        kill_interpreter(interpreter);
        return false;
    default:
        break_off(interpreter);
        return false;
    }
}

static void on_channel(void *self, uint32_t events)
{
    struct interpreter *interpreter = self;
    if ((events & EPOLLOUT) && interpreter->state == INTERPRETER_RUNNING)
        send_code(interpreter);
    if (events & ~(uint32_t)EPOLLOUT)
        receive_one(interpreter);
}

static void on_ping_deadline(void *self)
{
    kill_interpreter(self);
}

/* Most executions are over before their timer, and their output is read at their end in one go. */
static void watch_streams(void *self)
{
    static void (*const on_streams[2])(void *, uint32_t) = {on_stdout, on_stderr};
    struct interpreter *interpreter = self;
    for (int i = 0; i < 2; i++)
        loop_watch(interpreter->loop, &interpreter->stream_watches[i], interpreter->stream_fds[i],
                   EPOLLIN, on_streams[i], interpreter, NULL);
}

int interpreter_attach(struct interpreter *interpreter, int channel_fd, int stdout_fd,
                       int stderr_fd, int64_t ping_timeout_ms, struct error *err)
{
    interpreter_close(interpreter);
    interpreter->channel_fd = channel_fd;
    interpreter->stream_fds[0] = stdout_fd;
    interpreter->stream_fds[1] = stderr_fd;
    interpreter->signal_pending = false;
    interpreter->broke_protocol = false;
    interpreter->state = INTERPRETER_GREETING;
    for (int i = 0; i < 2; i++) {
        if (channel_set_nonblocking(interpreter->stream_fds[i], err) < 0)
            return -1;
    }
    if (channel_set_nonblocking(channel_fd, err) < 0 ||
        loop_watch(interpreter->loop, &interpreter->channel_watch, channel_fd, EPOLLIN, on_channel,
                   interpreter, err) < 0)
        return -1;
    if (ping_timeout_ms < 0)
        return 0;

    interpreter->state = INTERPRETER_PINGED;
    watch_streams(interpreter);
    random_bytes(&interpreter->ping_nonce, sizeof interpreter->ping_nonce);
    loop_start_timer(interpreter->loop, &interpreter->deadline,
                     loop_now_ms(interpreter->loop) + ping_timeout_ms, on_ping_deadline,
                     interpreter);
    /* When its channel is full or closed, it does not answer and the deadline or the hang-up
     * decides. */
    channel_send(channel_fd, FRAME_PING, interpreter->ping_nonce, NULL, 0, NULL, 0, NULL);
    return 0;
}

static void on_grace_over(void *self)
{
    kill_interpreter(self);
}

static void on_deadline(void *self)
{
    struct interpreter *interpreter = self;
    interpreter->interrupted = true;
    interpreter->signal_pending = true;
    loop_start_timer(interpreter->loop, &interpreter->deadline,
                     loop_now_ms(interpreter->loop) + INTERPRETER_GRACE_MS, on_grace_over,
                     interpreter);
    interpreter->events.interrupt(interpreter->events.self);
}

void interpreter_start_run(struct interpreter *interpreter, struct run *run)
{
    assert(interpreter->state == INTERPRETER_IDLE && !interpreter->run);
    /* Late output of an earlier execution's threads belongs to nobody. */
    for (int i = 0; i < 2; i++)
        read_stream(interpreter->stream_fds[i], NULL, PIPE_DRAIN_BYTES_MAX);

    interpreter->state = INTERPRETER_RUNNING;
    interpreter->run = run;
    interpreter->interrupted = false;
    interpreter->canceled = false;
    size_t most = run->stream_bytes_max ? run->stream_bytes_max : CAPTURE_BYTES_MAX;
    capture_open(&run->output, most);
    capture_open(&run->errors, most);
    random_bytes(&run->nonce, sizeof run->nonce);
    run->started_us = clock_monotonic_us();
    loop_start_timer(interpreter->loop, &interpreter->deadline,
                     loop_now_ms(interpreter->loop) + run->timeout_ms, on_deadline, interpreter);

    loop_start_timer(interpreter->loop, &interpreter->stream_timer,
                     loop_now_ms(interpreter->loop) + STREAM_WATCH_DELAY_MS, watch_streams,
                     interpreter);
    send_code(interpreter);
}

void interpreter_cancel(struct interpreter *interpreter, const struct run *run)
{
    if (interpreter->run != run || interpreter->interrupted)
        return;
    interpreter->canceled = true;
    if (interpreter->state == INTERPRETER_RUNNING)
        on_deadline(interpreter);
}

void interpreter_on_signalled(struct interpreter *interpreter)
{
    interpreter->signal_pending = false;
    if (interpreter->state == INTERPRETER_SETTLING)
        become_idle(interpreter);
}

void interpreter_on_denied(struct interpreter *interpreter, const struct denied_message *denied)
{
    if (interpreter->run)
        refusals_add_call(&interpreter->run->refusals, (uint32_t)denied->number, denied->arguments);
}

void interpreter_describe_ending(const struct gone_message *gone, char *ret_text, size_t capacity)
{
    int status = (int)gone->wait_status;
    if (gone->out_of_memory)
        snprintf(ret_text, capacity, "it used more memory than a session may");
    else if (WIFSIGNALED(status))
        snprintf(ret_text, capacity, "it was ended by signal SIG%s (%s)",
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "RT",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(ret_text, capacity, "it ended with exit status %d", WEXITSTATUS(status));
}

static void describe_run(struct interpreter *interpreter, const struct gone_message *gone,
                         struct run *run)
{
    run->outcome = outcome_of(interpreter, RUN_ABORTED);
    run->ending[0] = '\0';
    if (!gone) {
        snprintf(run->ending, sizeof run->ending, "The session was removed while this ran.");
        return;
    }
    if (gone->out_of_memory)
        return;
    char how[INTERPRETER_ENDING_MAX] = "it was ended because it sent what it must not";
    if (!interpreter->broke_protocol)
        interpreter_describe_ending(gone, how, sizeof how);
    snprintf(run->ending, sizeof run->ending,
             "The interpreter has gone: %s. Its variables are lost, files in /mnt/data are kept.",
             how);
}

void interpreter_on_gone(struct interpreter *interpreter, const struct gone_message *gone)
{
    /* It may have answered before it died: that answer counts. */
    int left = LAST_FRAMES_MAX;
    while (interpreter->state == INTERPRETER_RUNNING && left-- > 0 && receive_one(interpreter))
        ;
    if (interpreter->run) {
        struct run *run = end_run(interpreter);
        describe_run(interpreter, gone, run);
        interpreter->state = INTERPRETER_DYING;
        run->on_finished(run->self, run);
    }
    interpreter_close(interpreter);
}
