#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/tape/difference.h"
#include "agent/tape/tape.h"
#include "base/core/text.h"
#include "tests/support/unit.h"

#define HEADER "{\"tape\":1}\n"
#define REQUEST                                                                                    \
    "{\"event\":\"llm.request\",\"method\":\"POST\",\"path\":\"/v1/x\",\"body\":{\"a\":1}}\n"

static void a_tape_is_read_into_exchanges(void **state)
{
    (void)state;
    static const char text[] = HEADER
        "{\"event\":\"user\",\"text\":\"count\"}\n" REQUEST
        "{\"event\":\"llm.response\",\"status\":200,\"headers\":{\"Content-Type\":\"x\"}}\n"
        "{\"event\":\"chunk\",\"t_ms\":5,\"text\":\"ab\\u0000\"}\n"
        "{\"event\":\"chunk\",\"t_ms\":25,\"base64\":\"/w==\"}\n"
        "{\"event\":\"end\",\"cut\":true}\n"
        "{\"event\":\"session.request\",\"method\":\"GET\",\"path\":\"/files\",\"body\":null}\n"
        "{\"event\":\"final\",\"exit\":0}\n";
    AUTO(tape) struct tape *tape = NULL;
    struct error err = {0};

    if (tape_read(text, strlen(text), &tape, &err) < 0)
        fail_msg("%s", err.message);

    assert_int_equal(tape->count, 2);
    const struct reply *reply = &tape->exchanges[0].reply;
    assert_int_equal(tape->exchanges[0].request.party, TAPE_MODEL);
    assert_int_equal(tape->exchanges[1].request.party, TAPE_POOL);
    assert_null(tape->exchanges[1].request.body);
    assert_false(tape->exchanges[1].is_answered);
    assert_int_equal(reply->status, 200);
    assert_true(reply->is_cut);
    assert_memory_equal(reply->body.data, "ab\0\xff", 4);
    assert_int_equal(reply->piece_count, 2);
    assert_int_equal(reply->pieces[1].delay_ms, 20);
    assert_int_equal(json_array_size(tape->turns), 1);
    assert_non_null(tape->final);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "it has no lines"},
        {"{\"tape\":2}\n", "newer version"},
        {"{}\n", "line 1: tape"},
        {"[]\n", "line 1: must be a JSON object"},
        {HEADER "x\n", "line 2: "},
        {HEADER "{\"event\":\"dance\"}\n", "line 2: event: must be user"},
        {HEADER "{\"event\":\"llm.response\",\"status\":200}\n", "line 2: a response without"},
        {HEADER REQUEST "{\"event\":\"chunk\",\"t_ms\":1,\"text\":\"\"}\n",
         "line 3: a chunk without"},
        {HEADER REQUEST "{\"event\":\"llm.response\",\"status\":99}\n", "line 3: status"},
        {HEADER REQUEST
         "{\"event\":\"llm.response\",\"status\":200,\"headers\":{\"a\":\"b\\nc\"}}\n",
         "one line each"},
        {HEADER REQUEST "{\"event\":\"llm.response\",\"status\":200}\n"
                        "{\"event\":\"chunk\",\"t_ms\":1,\"base64\":\"?\"}\n",
         "line 4: a chunk has"},
        {HEADER "{\"event\":\"llm.request\",\"method\":\"POST\"}\n", "path"},
        {HEADER "{\"event\":\"final\"}\n{\"event\":\"final\"}\n", "line 3: a second"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tape *tape = NULL;
        struct error err = {0};
        if (tape_read(cases[i].text, strlen(cases[i].text), &tape, &err) == 0)
            fail_msg("%s is taken", cases[i].text);
        assert_error(err, ERROR_INVALID, cases[i].message);
    }
}

/* Writes one exchange to a file and returns the file's text. */
static char *written(struct tape_exchange *exchange, const struct tape_tokens *tokens)
{
    char path[] = "/tmp/sandpool-test-XXXXXX";
    struct error err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    if (tape_write(fd, json_pack("{s:i}", "tape", 1), &err) < 0 ||
        tape_write_exchange(fd, exchange, tokens, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    char *text = text_read_all(fd, TAPE_BYTES_MAX, NULL, &err);
    close(fd);
    assert_non_null(text);
    return text;
}

static void append(struct reply *reply, const char *text, int64_t delay_ms)
{
    assert_true(buf_append_text(&reply->body, text));
    reply_end_piece(reply, delay_ms);
}

static void a_secret_does_not_reach_the_file_even_in_pieces(void **state)
{
    (void)state;
    struct tape_tokens tokens = {0};
    struct tape_exchange exchange = {.is_answered = true};
    exchange.request = (struct tape_request){.method = xstrdup("POST"), .path = xstrdup("/x")};
    exchange.reply.status = 200;
    assert_true(tape_tokens_add(&tokens, "s3cr3t-key", tape_secret_token));
    assert_true(tape_tokens_add(&tokens, "session-77", "<session>"));
    append(&exchange.reply, "your key s3cr", 3);
    append(&exchange.reply, "3t-k", 4);
    append(&exchange.reply, "ey for session-77", 5);
    append(&exchange.reply, "!", 6);

    AUTO_FREE char *text = written(&exchange, &tokens);

    assert_null(strstr(text, "s3cr"));
    assert_non_null(strstr(text, "\"text\":\"your key <secret> for <session>\""));
    AUTO(tape) struct tape *tape = NULL;
    struct error err = {0};
    assert_int_equal(tape_read(text, strlen(text), &tape, &err), 0);
    assert_int_equal(tape->exchanges[0].reply.piece_count, 2);
    assert_int_equal(tape->exchanges[0].reply.pieces[0].delay_ms, 12);
    assert_int_equal(tape->exchanges[0].reply.pieces[1].delay_ms, 6);
    tape_request_clear(&exchange.request);
    reply_clear(&exchange.reply);
    tape_tokens_clear(&tokens);
}

static void tokens_come_back_as_what_they_stand_for_now(void **state)
{
    (void)state;
    struct tape_tokens tokens = {0};
    AUTO_BUF struct buf out = {0};
    assert_true(tape_tokens_add(&tokens, "session-1", "<session>"));
    assert_true(tape_tokens_add(&tokens, "session-22", "<session>"));
    assert_true(tape_tokens_add(&tokens, "hidden-key", tape_secret_token));
    assert_false(tape_tokens_add(&tokens, "short", tape_secret_token));
    static const char text[] = "<session> and <secret>";

    tape_tokens_restore(&tokens, text, strlen(text), &out);

    assert_string_equal(out.data, "session-22 and <secret>");
    tape_tokens_clear(&tokens);
}

static void differences_are_told_field_by_field(void **state)
{
    (void)state;
    json_t *taped = json_pack("{s:i, s:[{s:s}], s:b}", "a", 1, "list", "text", "four", "gone", 1);
    json_t *now = json_pack("{s:i, s:[{s:s}, n], s:s}", "a", 1, "list", "text", "five", "new", "x");
    AUTO_BUF struct buf out = {0};

    assert_true(difference_write(taped, taped, &out));
    assert_int_equal(out.length, 0);
    assert_false(difference_write(taped, now, &out));

    assert_string_equal(out.data, "list[0].text: the tape has \"four\", now it is \"five\"\n"
                                  "list[1]: the tape has nothing, now it is null\n"
                                  "gone: the tape has true, now it is nothing\n"
                                  "new: the tape has nothing, now it is \"x\"\n");
    json_decref(taped);
    json_decref(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tape_is_read_into_exchanges),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_secret_does_not_reach_the_file_even_in_pieces),
        cmocka_unit_test(tokens_come_back_as_what_they_stand_for_now),
        cmocka_unit_test(differences_are_told_field_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
