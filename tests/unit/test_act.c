#include <stdlib.h>

#include "agent/tape/act.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

struct fixture {
    struct script *script;
    struct act *act;
    struct reply reply;
    struct error err;
};

static int set_up(void **state)
{
    *state = xcalloc(1, sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    reply_clear(&f->reply);
    act_destroy(f->act);
    script_destroy(f->script);
    free(f);
    return 0;
}

static void begin(struct fixture *f, const char *text, const struct script_chunks *chunks)
{
    act_destroy(f->act);
    script_destroy(f->script);
    f->script = NULL;
    if (script_read(text, strlen(text), &f->script, &f->err) < 0)
        fail_msg("%s", f->err.message);
    f->act = act_create(f->script, chunks);
}

static int ask_body(struct fixture *f, const char *body, bool is_responses)
{
    struct asked asked = {0};
    reply_clear(&f->reply);
    if (asked_read(body, strlen(body), is_responses, &asked, &f->err) < 0)
        fail_msg("%s", f->err.message);
    int result = act_answer(f->act, &asked, &f->reply, &f->err);
    asked_clear(&asked);
    return result;
}

/* Asks as an agent does after a tool has given this; NULL: before any. */
static int ask(struct fixture *f, const char *observation)
{
    AUTO_FREE char *body = xasprintf(
        "{\"stream\":true,\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"count them\"}]}%s%s%s]}",
        observation ? ",{\"role\":\"tool\",\"content\":\"" : "", observation ? observation : "",
        observation ? "\"}" : "");
    return ask_body(f, body, false);
}

static bool answered(const struct fixture *f, const char *text)
{
    return f->reply.body.data && strstr(f->reply.body.data, text);
}

static void an_answer_is_streamed_as_model_servers_stream_it(void **state)
{
    struct fixture *f = *state;
    begin(f, "model m\nthink hm\nsay two words\ncall run_python {\"code\":\"1+1\"}\n", NULL);

    assert_int_equal(ask(f, NULL), 0);

    assert_int_equal(f->reply.status, 200);
    assert_true(answered(f, "\"delta\":{\"role\":\"assistant\",\"content\":\"\"}"));
    assert_true(answered(f, "\"delta\":{\"reasoning_content\":\"hm\"}"));
    assert_true(answered(f, "\"delta\":{\"content\":\"two\"}"));
    assert_true(answered(f, "\"delta\":{\"content\":\" words\"}"));
    assert_true(answered(f, "\"id\":\"call_1\""));
    assert_true(answered(f, "\"finish_reason\":\"tool_calls\""));
    assert_true(answered(f, "data: [DONE]\n\n"));
    assert_false(answered(f, "usage")); /* it was not asked for */
    assert_int_equal(f->reply.piece_count, 9);
    assert_int_equal(f->reply.pieces[8].end, f->reply.body.length);
}

static void conditions_are_for_the_next_request(void **state)
{
    struct fixture *f = *state;
    begin(f,
          "label again\n"
          "call run_python {}\n"
          "when observation matches /unreachable/ goto again\n"
          "say done\n",
          NULL);

    assert_int_equal(ask(f, NULL), 0);
    assert_true(answered(f, "call_1"));
    assert_int_equal(ask(f, "Network is unreachable"), 0);
    assert_true(answered(f, "call_2"));
    assert_int_equal(ask(f, "42"), 0);
    assert_true(answered(f, "done"));
    assert_int_equal(act_answers(f->act), 3);
    assert_int_equal(ask(f, "42"), -1);
    assert_error(f->err, ERROR_MISSING, "one too many");
}

static void repeat_counts(void **state)
{
    struct fixture *f = *state;
    begin(f, "label again\nsay a\nrepeat again 2 times\nsay b\n", NULL);
    static const char *const expected[] = {"\"a\"", "\"a\"", "\"a\"", "\"b\""};

    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(ask(f, NULL), 0);
        assert_true(answered(f, expected[i]));
    }
}

static void expectations_that_fail_say_what_was_there(void **state)
{
    struct fixture *f = *state;
    begin(f,
          "expect-user contains \"count\"\nexpect-system lacks \"verbose\"\n"
          "expect-observation matches /^4/\nsay x\n",
          NULL);

    assert_int_equal(ask(f, "52"), -1);
    assert_error(f->err, ERROR_CONFLICT, "line 3: the observation must match \"^4\"; it is: 52");
    assert_int_equal(ask(f, "42"), 0);
}

static void an_observation_is_found_in_plain_text_too(void **state)
{
    struct fixture *f = *state;
    begin(f, "expect-observation matches /^ 7/\nexpect-observation lacks \"6\"\nsay x\n", NULL);
    assert_int_equal(ask_body(f,
                              "{\"messages\":[{\"role\":\"user\",\"content\":"
                              "\"Observation: 6\\nThought: x\\nObservation: 7\\nThought:\"}]}",
                              false),
                     0);
}

static void errors_and_cuts_are_answers(void **state)
{
    struct fixture *f = *state;
    begin(f,
          "error 429 after 1500ms code rate_limit_exceeded\n"
          "error 400 {\"error\":{\"code\":\"content_filter\"}}\n"
          "say a long enough answer\ncut after 50 bytes\n",
          NULL);

    assert_int_equal(ask(f, NULL), 0);
    assert_int_equal(f->reply.status, 429);
    assert_string_equal(f->reply.headers[0].name, "retry-after-ms");
    assert_string_equal(f->reply.headers[0].value, "1500");
    assert_true(answered(f, "\"code\":\"rate_limit_exceeded\""));
    assert_int_equal(ask(f, NULL), 0);
    assert_string_equal(f->reply.body.data, "{\"error\":{\"code\":\"content_filter\"}}");
    assert_int_equal(ask(f, NULL), 0);
    assert_true(f->reply.is_cut);
    assert_int_equal(f->reply.body.length, 50);
    assert_int_equal(f->reply.pieces[f->reply.piece_count - 1].end, 50);
}

static void raw_bytes_stand_alone(void **state)
{
    struct fixture *f = *state;
    begin(f, "raw \"\\ufeff: ping\\r\\n\"\nraw \"data: [DONE]\\r\\n\\r\\n\"\n", NULL);

    assert_int_equal(ask(f, NULL), 0);

    assert_string_equal(f->reply.body.data, "\xef\xbb\xbf: ping\r\ndata: [DONE]\r\n\r\n");
    assert_int_equal(f->reply.piece_count, 2);
}

static int64_t total_delay_ms(const struct reply *reply)
{
    int64_t sum = 0;
    for (size_t i = 0; i < reply->piece_count; i++)
        sum += reply->pieces[i].delay_ms;
    return sum;
}

static void every_chunking_has_the_same_bytes_and_delays(void **state)
{
    struct fixture *f = *state;
    static const char *const hows[] = {"1", "7", "random 1", "random 2", "whole"};
    static const char text[] =
        "say one two\ndelay 100\nsay three \xc3\xa9\ndelay 20\ncall t {\"a\":1}\n";
    begin(f, text, NULL);
    assert_int_equal(ask(f, NULL), 0);
    AUTO_FREE char *by_event = xstrdup(f->reply.body.data);
    assert_int_equal(total_delay_ms(&f->reply), 120);

    for (size_t i = 0; i < COUNT(hows); i++) {
        struct script_chunks chunks;
        assert_int_equal(script_read_chunks(hows[i], &chunks, &f->err), 0);
        begin(f, text, &chunks);
        assert_int_equal(ask(f, NULL), 0);
        assert_string_equal(f->reply.body.data, by_event);
        assert_int_equal(f->reply.pieces[f->reply.piece_count - 1].end, f->reply.body.length);
        assert_int_equal(total_delay_ms(&f->reply), 120);
    }
    assert_int_equal(f->reply.piece_count, 1);
}

static void the_other_wire_says_the_same(void **state)
{
    struct fixture *f = *state;
    begin(f, "say hi there\ncall t {\"a\":1}\n---\nexpect-observation contains \"9\"\nsay bye\n",
          NULL);

    assert_int_equal(ask_body(f, "{\"input\":\"x\",\"stream\":true}", true), 0);
    assert_true(answered(f, "event: response.created\n"));
    assert_true(answered(f, "\"delta\":\" there\""));
    assert_true(answered(f, "\"call_id\":\"call_1\""));
    assert_true(answered(f, "event: response.completed\n"));
    assert_false(answered(f, "[DONE]"));
    assert_int_equal(
        ask_body(f, "{\"input\":[{\"type\":\"function_call_output\",\"output\":\"9\"}]}", true), 0);
    assert_true(answered(f, "\"text\":\"bye\""));
}

static void a_script_that_says_nothing_ends(void **state)
{
    struct fixture *f = *state;
    begin(f, "", NULL);
    assert_int_equal(ask(f, NULL), -1);
    assert_error(f->err, ERROR_MISSING, "0 answers");
    begin(f, "label a\ngoto a\n", NULL);
    assert_int_equal(ask(f, NULL), -1);
    assert_error(f->err, ERROR_INVALID, "round in circles");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_streamed_as_model_servers_stream_it),
        TEST(conditions_are_for_the_next_request),
        TEST(repeat_counts),
        TEST(expectations_that_fail_say_what_was_there),
        TEST(an_observation_is_found_in_plain_text_too),
        TEST(errors_and_cuts_are_answers),
        TEST(raw_bytes_stand_alone),
        TEST(every_chunking_has_the_same_bytes_and_delays),
        TEST(the_other_wire_says_the_same),
        TEST(a_script_that_says_nothing_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
