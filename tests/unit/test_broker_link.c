#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/link/blob.h"
#include "sandboxd/link/broker_link.h"
#include "sandboxd/link/session_link.h"

/* The test plays the broker, and through the descriptors it passes, the sessions. */
struct fixture {
    struct hand_clock clock;
    struct loop *loop;
    struct broker_link broker;
    struct pool *pool;
    int front_fd;
    int peer_fd;
    struct channel_message message;
    int session_fds[4]; /* the session's ends of the last start: shell, channel, stdout, stderr */
    unsigned hellos;
    unsigned images;
    unsigned closed;
};

static void on_hello(void *self)
{
    ((struct fixture *)self)->hellos++;
}

static void on_image(void *self, const void *data, size_t length)
{
    struct fixture *f = self;
    assert_int_equal(length, 3);
    assert_memory_equal(data, "abc", 3);
    f->images++;
}

static void on_closed(void *self, const struct error *err)
{
    (void)err;
    ((struct fixture *)self)->closed++;
}

static void on_run_finished(void *self, struct run *run)
{
    (void)self;
    (void)run;
}

static void on_wake(void *self, struct pool *pool, int64_t at_ms)
{
    (void)self;
    (void)pool;
    (void)at_ms;
}

static struct pool *find_pool(void *self, const char *name)
{
    struct fixture *f = self;
    return strcmp(name, f->pool->settings.key) == 0 ? f->pool : NULL;
}

static int set_up(void **state)
{
    struct error err = {0};
    int pair[2];
    struct fixture *f = xcalloc(1, sizeof *f);
    f->clock.time_ms = 1000;
    f->loop = loop_create(clock_by_hand(&f->clock), &err);
    assert_int_equal(channel_pair(pair, &err), 0);
    f->front_fd = pair[0];
    f->peer_fd = pair[1];
    assert_int_equal(channel_set_nonblocking(f->peer_fd, &err), 0);
    struct broker_link_events events = {.on_hello = on_hello,
                                        .on_image = on_image,
                                        .on_closed = on_closed,
                                        .on_wake = on_wake,
                                        .find_pool = find_pool,
                                        .self = f};
    assert_int_equal(broker_link_open(&f->broker, f->loop, f->front_fd, 8, &events, &err), 0);
    struct pool_settings settings = {
        .name = "default",
        .key = "default",
        .max_concurrent_sessions = 4,
        .cooldown_ms = 1000,
        .execution_timeout_ms = 5000,
        .session_memory_bytes = 1 << 30,
        .data_bytes = 1 << 20,
        .data_inodes = 100,
        .session_tasks = 16,
        .cpu_percent = 100,
    };
    struct pool_broker seam = broker_link_seam(&f->broker);
    f->pool = pool_create(&settings, &seam, clock_by_hand(&f->clock));
    for (int i = 0; i < 4; i++)
        f->session_fds[i] = -1;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->pool->closing = true;
    broker_link_close(&f->broker);
    pool_destroy(f->pool);
    channel_release(&f->message);
    for (int i = 0; i < 4; i++)
        close_fd(&f->session_fds[i]);
    close_fd(&f->front_fd);
    close_fd(&f->peer_fd);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void settle(struct fixture *f)
{
    struct error err = {0};
    for (int i = 0; i < 6; i++)
        assert_int_equal(loop_run_once(f->loop, 0, &err), 0);
}

static void tell(struct fixture *f, enum frame_type type, uint64_t tag, const void *data,
                 size_t length, const int *fds, int fd_count)
{
    struct error err = {0};
    assert_int_equal(channel_send(f->peer_fd, type, tag, data, length, fds, fd_count, &err), 0);
    settle(f);
}

/* The next frame that the front sent, which must be of this type. */
static const struct frame *expect(struct fixture *f, enum frame_type type)
{
    struct error err = {0};
    settle(f);
    assert_int_equal(channel_receive(f->peer_fd, 0, &f->message, &err), CHANNEL_MESSAGE);
    assert_int_equal(f->message.frame.type, type);
    return &f->message.frame;
}

static void expect_nothing(struct fixture *f)
{
    struct error err = {0};
    settle(f);
    assert_int_equal(channel_receive(f->peer_fd, 0, &f->message, &err), CHANNEL_EMPTY);
}

/* Makes the front's four descriptors and keeps the session's ends. */
static void make_ends(struct fixture *f, int front_fds[4])
{
    struct error err = {0};
    int pair[2];
    for (int i = 0; i < 4; i++) {
        close_fd(&f->session_fds[i]);
        if (i < 2)
            assert_int_equal(channel_pair(pair, &err), 0);
        else
            assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        front_fds[i] = pair[0];
        f->session_fds[i] = pair[1];
    }
    assert_int_equal(channel_set_nonblocking(f->session_fds[1], &err), 0);
}

static void tell_with_ends(struct fixture *f, enum frame_type type, uint64_t number,
                           const void *data, size_t length)
{
    int fds[4];
    make_ends(f, fds);
    tell(f, type, number, data, length, fds, 4);
    for (int i = 0; i < 4; i++)
        close_fd(&fds[i]);
}

static void say_ready(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(channel_send(f->session_fds[1], FRAME_READY, 0, NULL, 0, NULL, 0, &err), 0);
    settle(f);
}

static struct session *obtain(struct fixture *f, const char *identifier)
{
    struct error err = {0};
    struct session *session = NULL;
    bool is_new;
    assert_int_equal(pool_obtain_session(f->pool, identifier, &session, &is_new, &err), 0);
    return session;
}

static struct session *obtain_running(struct fixture *f, const char *identifier)
{
    struct session *session = obtain(f, identifier);
    uint64_t number = expect(f, FRAME_SESSION_START)->tag;
    tell_with_ends(f, FRAME_SESSION_STARTED, number, NULL, 0);
    say_ready(f);
    assert_int_equal(session->state, SESSION_IDLE);
    expect(f, FRAME_SESSION_STORE);
    return session;
}

static void a_session_is_started_with_its_limits_and_stored(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    tell(f, FRAME_HELLO, 42, NULL, 0, NULL, 0);
    assert_int_equal(f->hellos, 1);

    struct session *session = obtain(f, "demo-1");
    const struct frame *frame = expect(f, FRAME_SESSION_START);
    struct session_plan_message plan;
    assert_int_equal(frame->tag, 42);
    assert_int_equal(message_read_session_plan(frame, &plan, &err), 0);
    assert_int_equal(plan.memory_bytes, 1 << 30);
    assert_int_equal(plan.tasks, 16);

    tell_with_ends(f, FRAME_SESSION_STARTED, 42, NULL, 0);
    assert_true(session->has_shell);
    assert_int_equal(session->state, SESSION_STARTING);
    struct blob blob;
    frame = expect(f, FRAME_SESSION_STORE);
    assert_int_equal(blob_read(frame->payload, frame->length, &blob, &err), 0);
    assert_string_equal(blob.pool, "default");
    assert_string_equal(blob.identifier, "demo-1");
    assert_string_equal(blob.guid, session_link_of(session)->guid);
    say_ready(f);
    assert_int_equal(session->state, SESSION_IDLE);
}

static void the_broker_is_told_how_interpreters_start(void **state)
{
    static const struct {
        bool start_exec, preload;
        enum session_start start;
    } cases[] = {{false, true, START_FORK}, {true, true, START_EXEC}, {true, false, START_BARE}};
    struct fixture *f = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char identifier[] = "demo-0";
        identifier[sizeof identifier - 2] += (char)i;
        struct session_plan_message plan;
        struct error err = {0};
        f->pool->settings.start_exec = cases[i].start_exec;
        f->pool->settings.preload = cases[i].preload;
        obtain(f, identifier);
        assert_int_equal(message_read_session_plan(expect(f, FRAME_SESSION_START), &plan, &err), 0);
        assert_int_equal(plan.start, cases[i].start);
    }
}

static void refused_calls_are_told_before_the_end_and_the_rest_waits(void **state)
{
    static const struct denied_message denied = {.number = 165, .arguments = {1}};
    struct fixture *f = *state;
    struct error err = {0};
    struct session *session = obtain_running(f, "demo-1");
    struct session_link *link = session_link_of(session);
    uint64_t number = link->number;
    struct run run = {
        .code = "x", .code_length = 1, .timeout_ms = 1000, .on_finished = on_run_finished};
    session->pool->settings.audit = true;
    interpreter_start_run(&link->interpreter, &run);
    /* All of it lies in the channels before the front looks at any. */
    assert_int_equal(
        channel_send(f->peer_fd, FRAME_INTERPRETER_SIGNALLED, number, NULL, 0, NULL, 0, &err), 0);
    assert_int_equal(
        channel_send(f->peer_fd, FRAME_DENIED, number, &denied, sizeof denied, NULL, 0, &err), 0);
    assert_int_equal(
        channel_send(f->peer_fd, FRAME_DENIED, 999, &denied, sizeof denied, NULL, 0, &err), 0);
    assert_int_equal(channel_send(f->peer_fd, FRAME_SESSION_GONE, number, NULL, 0, NULL, 0, &err),
                     0);
    broker_link_catch_up(&f->broker);
    assert_int_equal(run.refusals.count, 1);
    assert_int_equal(run.refusals.items[0].arguments[0], 1);
    assert_non_null(session->link);
    session_hold(session);
    settle(f);
    assert_null(session->link);
    session_release(session);
    run_clear(&run);
}

static void a_denied_call_of_the_wrong_size_ends_the_front(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint64_t number = session_link_of(obtain_running(f, "demo-1"))->number;
    assert_int_equal(channel_send(f->peer_fd, FRAME_DENIED, number, "x", 1, NULL, 0, &err), 0);
    broker_link_catch_up(&f->broker);
    assert_int_equal(f->closed, 0);
    settle(f);
    assert_int_equal(f->closed, 1);
}

static void a_removed_session_is_gone_when_the_broker_says_so(void **state)
{
    struct fixture *f = *state;
    struct session *session = obtain_running(f, "demo-1");
    uint64_t number = session_link_of(session)->number;
    pool_remove_session(session);
    assert_int_equal(expect(f, FRAME_SESSION_REMOVE)->tag, number);
    assert_non_null(session->link);
    session_hold(session);
    tell(f, FRAME_SESSION_GONE, number, NULL, 0, NULL, 0);
    assert_null(session->link);
    session_release(session);
}

static void a_dead_interpreter_is_replaced_once(void **state)
{
    struct fixture *f = *state;
    struct session *session = obtain_running(f, "demo-1");
    uint64_t number = session_link_of(session)->number;
    struct gone_message gone = {.wait_status = SIGKILL};
    tell(f, FRAME_INTERPRETER_GONE, number, &gone, sizeof gone, NULL, 0);
    expect(f, FRAME_INTERPRETER_JOIN);
    assert_int_equal(session->state, SESSION_RECOVERING);

    /* A second report is about the same death. */
    tell(f, FRAME_INTERPRETER_GONE, number, &gone, sizeof gone, NULL, 0);
    expect_nothing(f);

    int fds[4];
    int shell_fd = TAKE_FD(f->session_fds[0]); /* the shell stays as it is */
    make_ends(f, fds);
    close_fd(&f->session_fds[0]);
    f->session_fds[0] = shell_fd;
    tell(f, FRAME_INTERPRETER_JOINED, number, NULL, 0, fds + 1, 3);
    for (int i = 0; i < 4; i++)
        close_fd(&fds[i]);
    say_ready(f);
    assert_int_equal(session->state, SESSION_IDLE);
}

static void a_session_that_cannot_start_is_forgotten(void **state)
{
    struct fixture *f = *state;
    obtain(f, "demo-1");
    uint64_t number = expect(f, FRAME_SESSION_START)->tag;
    struct result_message result;
    size_t length = message_fill_result(&result, 12, "no memory");
    tell(f, FRAME_SESSION_FAILED, number, &result, length, NULL, 0);
    assert_null(pool_find_session(f->pool, "demo-1"));
}

static void sessions_of_an_earlier_front_are_adopted(void **state)
{
    struct fixture *f = *state;
    struct blob blob = {.pool = "default", .guid = "g-1", .identifier = "demo-7"};
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    tell_with_ends(f, FRAME_SESSION_ADOPT, 7, data, length);
    struct session *session = pool_find_session(f->pool, "demo-7");
    assert_non_null(session);
    assert_string_equal(session_link_of(session)->guid, "g-1");
    assert_int_equal(session->state, SESSION_STARTING);

    struct error err = {0};
    assert_int_equal(channel_receive(f->session_fds[1], 0, &f->message, &err), CHANNEL_MESSAGE);
    assert_int_equal(f->message.frame.type, FRAME_PING);
    assert_int_equal(
        channel_send(f->session_fds[1], FRAME_PONG, f->message.frame.tag, NULL, 0, NULL, 0, &err),
        0);
    settle(f);
    assert_int_equal(session->state, SESSION_IDLE);
}

static void sessions_that_nobody_can_place_are_removed(void **state)
{
    struct fixture *f = *state;
    struct blob blob = {.pool = "other", .guid = "g-1", .identifier = "demo-7"};
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    tell_with_ends(f, FRAME_SESSION_ADOPT, 7, data, length);
    assert_int_equal(expect(f, FRAME_SESSION_REMOVE)->tag, 7);
    tell_with_ends(f, FRAME_SESSION_ADOPT, 8, "rubbish", 7);
    assert_int_equal(expect(f, FRAME_SESSION_REMOVE)->tag, 8);
    tell(f, FRAME_SESSION_GONE, 7, NULL, 0, NULL, 0);
    assert_int_equal(f->closed, 0);
}

static void the_image_is_handed_on_whenever_it_comes(void **state)
{
    struct fixture *f = *state;
    tell(f, FRAME_IMAGE, 0, "abc", 3, NULL, 0);
    tell(f, FRAME_IMAGE, 0, "abc", 3, NULL, 0); /* another zygote */
    assert_int_equal(f->images, 2);
    assert_int_equal(f->closed, 0);
}

static void the_end_of_the_broker_is_noticed(void **state)
{
    struct fixture *f = *state;
    obtain_running(f, "demo-1");
    close_fd(&f->peer_fd);
    settle(f);
    assert_int_equal(f->closed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_started_with_its_limits_and_stored),
        TEST(the_broker_is_told_how_interpreters_start),
        TEST(refused_calls_are_told_before_the_end_and_the_rest_waits),
        TEST(a_denied_call_of_the_wrong_size_ends_the_front),
        TEST(a_removed_session_is_gone_when_the_broker_says_so),
        TEST(a_dead_interpreter_is_replaced_once),
        TEST(a_session_that_cannot_start_is_forgotten),
        TEST(sessions_of_an_earlier_front_are_adopted),
        TEST(sessions_that_nobody_can_place_are_removed),
        TEST(the_image_is_handed_on_whenever_it_comes),
        TEST(the_end_of_the_broker_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
