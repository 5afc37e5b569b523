#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/tape/deck.h"
#include "agent/tape/scripted.h"
#include "base/core/clock.h"
#include "base/core/listener.h"
#include "base/core/text.h"
#include "tests/support/unit.h"

enum { ROUNDS_MAX = 20000 };

#define MESSAGES(text)                                                                             \
    "{\"messages\":[{\"content\":\"" text "\",\"role\":\"user\"}],\"stream\":true}"

/* A loop with a client and a deck; and the model that is real where the deck does not play it. */
struct fixture {
    char directory[64];
    char *path;
    struct deck *deck;
    struct loop *loop;
    struct http_client *http;

    struct script *script;
    struct scripted scripted;
    int listen_fd;
    struct player *model;
    char *model_endpoint;

    struct buf answer;
    unsigned status;
    bool is_over, is_complete;
    struct error err;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    *state = f;
    f->listen_fd = -1;
    strcpy(f->directory, "/tmp/sandpool-test-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->path = xasprintf("%s/a.tape", f->directory);
    return 0;
}

static void eject(struct fixture *f)
{
    deck_stop(f->deck);
    http_client_destroy(f->http);
    player_destroy(f->model);
    close_fd(&f->listen_fd);
    loop_destroy(f->loop);
    deck_destroy(f->deck);
    act_destroy(f->scripted.act);
    script_destroy(f->script);
    free(f->model_endpoint);
    f->deck = NULL;
    f->http = NULL;
    f->model = NULL;
    f->loop = NULL;
    f->scripted.act = NULL;
    f->script = NULL;
    f->model_endpoint = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    eject(f);
    unlink(f->path);
    rmdir(f->directory);
    buf_free(&f->answer);
    free(f->path);
    free(f);
    return 0;
}

static void check(const struct fixture *f, bool holds)
{
    if (!holds)
        fail_msg("%s", f->err.message);
}

static void start_model(struct fixture *f, const char *script)
{
    struct listener_address address = {.option = "listen", .text = "127.0.0.1:0"};
    check(f, script_read(script, strlen(script), &f->script, &f->err) == 0);
    f->scripted = (struct scripted){.act = act_create(f->script, NULL)};
    struct player_handler handler = scripted_handler(&f->scripted);
    check(f, listener_open(&address, &f->listen_fd, &f->err) == 0);
    check(f, player_create(f->loop, f->listen_fd, &handler, &f->model, &f->err) == 0);
    f->model_endpoint = xasprintf("%s/openai/v1", player_url(f->model));
}

/* script: of the real model; NULL: there is none. */
static void insert(struct fixture *f, enum deck_mode mode, const char *script)
{
    check(f, deck_create(mode, f->path, &f->deck, &f->err) == 0);
    f->loop = loop_create(deck_clock(f->deck), &f->err);
    f->http = http_client_create(f->loop, "test", &f->err);
    if (script)
        start_model(f, script);
    deck_hide(f->deck, "s3cr3t-key");
    AUTO_FREE char *pool = xasprintf("%s/pool", script ? player_url(f->model) : "");
    struct deck_start start = {.loop = f->loop,
                               .http = f->http,
                               .model_endpoint = f->model_endpoint,
                               .pool_endpoint = script ? pool : NULL};
    check(f, deck_start(f->deck, &start, &f->err) == 0);
}

static int on_data(void *self, struct http_exchange *exchange, const char *data, size_t length,
                   struct error *err)
{
    struct fixture *f = self;
    (void)exchange;
    (void)err;
    buf_append(&f->answer, data, length);
    return 0;
}

static void on_done(void *self, struct http_exchange *exchange, const struct error *failure)
{
    struct fixture *f = self;
    f->is_over = true;
    f->is_complete = !failure;
    f->status = http_exchange_status(exchange);
}

static void ask(struct fixture *f, const char *body)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Authorization: Bearer s3cr3t-key", NULL};
    AUTO_FREE char *url = xasprintf("%s/chat/completions?api-key=zyxw&x=s3cr3t-key",
                                    deck_endpoint(f->deck, TAPE_MODEL));
    struct http_exchange_options options = {.method = "POST",
                                            .url = url,
                                            .headers = headers,
                                            .body = body,
                                            .body_length = strlen(body),
                                            .answer_bytes_max = 1 << 20,
                                            .connect_timeout_ms = 10000};
    struct http_exchange_handler handler = {.self = f, .on_data = on_data, .on_done = on_done};
    struct http_exchange *exchange;
    buf_clear(&f->answer);
    f->is_over = false;
    check(f, http_client_start(f->http, &options, &handler, &exchange, &f->err) == 0);
    for (int i = 0; i < ROUNDS_MAX && !f->is_over; i++)
        check(f, loop_run_once(f->loop, -1, &f->err) == 0);
    assert_true(f->is_over);
}

static int finish(struct fixture *f, int exit_status)
{
    return deck_finish(f->deck, json_pack("{s:i}", "exit", exit_status), &f->err);
}

static char *tape_text(const struct fixture *f)
{
    AUTO_CLOSE int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    char *text = text_read_all(fd, TAPE_BYTES_MAX, NULL, NULL);
    assert_non_null(text);
    return text;
}

static const char two_answers[] = "error 429 after 2\nsay caf\xc3\xa9 and more\nchunks 1\n";

static void record_two_answers(struct fixture *f)
{
    insert(f, DECK_RECORD, two_answers);
    check(f, deck_note_turn(f->deck, "count, with s3cr3t-key", &f->err) == 0);
    ask(f, MESSAGES("one"));
    ask(f, MESSAGES("two"));
    check(f, finish(f, 0) == 0);
}

static void what_was_recorded_is_replayed_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    record_two_answers(f);
    AUTO_FREE char *second = xstrdup(f->answer.data);
    eject(f);

    for (int i = 0; i < 2; i++) {
        insert(f, DECK_REPLAY, NULL);
        assert_string_equal(deck_turn(f->deck, 0), "count, with <secret>");
        assert_null(deck_turn(f->deck, 1));
        ask(f, MESSAGES("one"));
        assert_int_equal(f->status, 429);
        ask(f, MESSAGES("two"));
        assert_int_equal(f->status, 200);
        assert_string_equal(f->answer.data, second);
        check(f, finish(f, 0) == 0);
        eject(f);
    }
}

static void no_secret_is_on_the_tape(void **state)
{
    struct fixture *f = *state;
    record_two_answers(f);
    AUTO_FREE char *text = tape_text(f);

    assert_null(strstr(text, "s3cr3t"));
    assert_null(strstr(text, "zyxw"));
    assert_null(strcasestr(text, "bearer"));
    assert_non_null(strstr(text, "/openai/v1/chat/completions?api-key=<secret>&x=<secret>"));
    assert_non_null(strstr(text, "\"Retry-After\":\"2\""));
}

static void a_difference_is_told_and_answered_with_a_refusal(void **state)
{
    struct fixture *f = *state;
    record_two_answers(f);
    eject(f);
    insert(f, DECK_REPLAY, NULL);

    ask(f, MESSAGES("other"));

    assert_int_equal(f->status, 400);
    assert_non_null(strstr(f->answer.data, "tape_mismatch"));
    assert_non_null(strstr(deck_mismatch(f->deck),
                           "messages[0].content: the tape has \"one\", now it is \"other\""));
    assert_int_equal(finish(f, 1), -1);
    assert_error(f->err, ERROR_CONFLICT, "not what the tape has");
    assert_non_null(strstr(deck_mismatch(f->deck), "a further llm request"));
    assert_non_null(strstr(deck_mismatch(f->deck), "exit: the tape has 0, now it is 1"));
}

static void a_request_too_many_is_a_difference(void **state)
{
    struct fixture *f = *state;
    record_two_answers(f);
    eject(f);
    insert(f, DECK_REPLAY_LLM, NULL);
    ask(f, MESSAGES("one"));
    ask(f, MESSAGES("two"));
    assert_null(deck_mismatch(f->deck));
    ask(f, MESSAGES("three"));
    assert_non_null(strstr(deck_mismatch(f->deck), "no further llm request"));
}

static void with_a_live_sandbox_the_last_message_decides(void **state)
{
    struct fixture *f = *state;
    record_two_answers(f);
    eject(f);
    insert(f, DECK_REPLAY_LLM, NULL);
    ask(f, "{\"temperature\":1,\"messages\":[{\"content\":\"new prompt\"},"
           "{\"content\":\"one\",\"role\":\"user\"}]}");
    assert_int_equal(f->status, 429);
    assert_null(deck_mismatch(f->deck));
}

static void write_tape(struct fixture *f, const char *text);

static void a_script_is_played_as_a_tape_is(void **state)
{
    struct fixture *f = *state;
    write_tape(f, "model m\nexpect-user contains \"one\"\ndelay 500000\nsay hello\n");
    insert(f, DECK_REPLAY_LLM, NULL);
    assert_string_equal(json_string_value(json_object_get(deck_settings(f->deck), "model")), "m");

    ask(f, MESSAGES("one"));

    assert_non_null(strstr(f->answer.data, "hello"));
    check(f, finish(f, 0) == 0);
    ask(f, MESSAGES("one"));
    assert_int_equal(f->status, 400);
    assert_non_null(strstr(deck_mismatch(f->deck), "one too many"));
}

static void write_tape(struct fixture *f, const char *text)
{
    AUTO_CLOSE int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void on_time(void *self)
{
    *(bool *)self = true;
}

static void waits_take_no_time_and_show_in_the_clock(void **state)
{
    struct fixture *f = *state;
    bool has_come = false;
    struct timer timer = {0};
    write_tape(f, "{\"tape\":1,\"model_path\":\"/openai/v1\"}\n"
                  "{\"event\":\"llm.request\",\"method\":\"POST\",\"path\":"
                  "\"/openai/v1/chat/completions?api-key=<secret>&x=<secret>\",\"body\":{}}\n"
                  "{\"event\":\"llm.response\",\"status\":200}\n"
                  "{\"event\":\"chunk\",\"t_ms\":500000,\"text\":\"a\"}\n"
                  "{\"event\":\"chunk\",\"t_ms\":600000,\"text\":\"b\"}\n"
                  "{\"event\":\"end\",\"cut\":true}\n");
    int64_t began_ms = clock_monotonic_us() / 1000;
    insert(f, DECK_REPLAY, NULL);

    ask(f, "{}");
    assert_string_equal(f->answer.data, "ab");
    assert_false(f->is_complete);
    assert_int_equal(loop_now_ms(f->loop), 600000);
    loop_start_timer(f->loop, &timer, 700000, on_time, &has_come);
    for (int i = 0; i < ROUNDS_MAX && !has_come; i++)
        check(f, loop_run_once(f->loop, -1, &f->err) == 0);

    assert_true(has_come);
    assert_int_equal(loop_now_ms(f->loop), 700000);
    assert_true(clock_monotonic_us() / 1000 - began_ms < 100000);
}

static void a_recording_does_not_replace_a_tape(void **state)
{
    struct fixture *f = *state;
    write_tape(f, "precious");
    assert_int_equal(deck_create(DECK_RECORD, f->path, &f->deck, &f->err), -1);
    assert_error(f->err, ERROR_CONFLICT, "is there already");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_recorded_is_replayed_byte_for_byte),
        TEST(no_secret_is_on_the_tape),
        TEST(a_difference_is_told_and_answered_with_a_refusal),
        TEST(a_request_too_many_is_a_difference),
        TEST(with_a_live_sandbox_the_last_message_decides),
        TEST(waits_take_no_time_and_show_in_the_clock),
        TEST(a_script_is_played_as_a_tape_is),
        TEST(a_recording_does_not_replace_a_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
