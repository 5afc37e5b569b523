#include "base/http/sse_reader.h"

#include "base/http/sse.h"
#include "tests/support/pieces.h"
#include "tests/support/unit.h"

enum { EVENT_BYTES_MAX = 64 };

/* name=data; for each event. */
static int note_event(void *self, const char *name, const char *data, size_t length,
                      struct error *err)
{
    struct buf *seen = self;
    if (strcmp(data, "stop") == 0)
        return error_set(err, ERROR_CONFLICT, "stopped");
    buf_printf(seen, "%s=", name);
    buf_append(seen, data, length);
    buf_append_text(seen, ";");
    return 0;
}

static int read_in(enum pieces pieces, const char *bytes, size_t length, struct buf *seen,
                   struct error *err)
{
    struct sse_reader reader;
    struct sse_reader_handler handler = {seen, note_event};
    sse_reader_begin(&reader, EVENT_BYTES_MAX, &handler);
    uint64_t seed = 7;
    int result = 0;
    for (size_t at = 0, piece; result == 0 && at < length; at += piece) {
        piece = next_piece(pieces, length - at, &seed);
        result = sse_reader_feed(&reader, bytes + at, piece, err);
    }
    if (result == 0)
        result = sse_reader_finish(&reader, err);
    sse_reader_clear(&reader);
    return result;
}

static void events_come_out_the_same_whatever_the_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *seen;
    } cases[] = {
        {"", ""},
        {"data: a\n\n", "=a;"},
        {"data:a\n\ndata: b\n\n", "=a;=b;"},
        {"data:  two blanks\n\n", "= two blanks;"},
        {"data: a\r\n\r\ndata: b\r\n\r\n", "=a;=b;"},
        {"data: a\r\rdata: b\r\r", "=a;=b;"},
        {"data: a\n\r\ndata: b\r\n\n", "=a;=b;"},
        {"\xEF\xBB\xBF"
         "data: a\n\n",
         "=a;"},
        {": ping\n\n: ping\r\ndata: a\n: between\ndata: b\n\n", "=a\nb;"},
        {"data: a\ndata\ndata:\ndata: b\n\n", "=a\n\n\nb;"},
        {"data\n\n", "=;"},
        {"event: delta\nid: 1\nretry: 3\ndata: a\n\ndata: b\n\n", "delta=a;=b;"},
        {"event: nothing\n\ndata: a\n\n", "=a;"},
        {"Data: no field of ours\ndatax: neither\n\n", ""},
        {"{\"data\": \"no field either\"}\n\n", ""},
        {"data: a: b\n\n", "=a: b;"},
        {"data: \xE2\x82\xAC\xF0\x9F\x98\x80\n\n", "=\xE2\x82\xAC\xF0\x9F\x98\x80;"},
        {"\n\n\r\n\rdata: a\n\n\n\n", "=a;"},
        {"data: [DONE]\n", "=[DONE];"}, /* the empty line was forgotten */
        {"data: [DONE]", "=[DONE];"},
        {"data: cut\r", "=cut;"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int pieces = 0; pieces < PIECES_COUNT; pieces++) {
            AUTO_BUF struct buf seen = {0};
            struct error err = {0};
            assert_int_equal(
                read_in((enum pieces)pieces, cases[i].bytes, strlen(cases[i].bytes), &seen, &err),
                0);
            assert_string_equal(seen.data ? seen.data : "", cases[i].seen);
        }
    }
}

static void what_the_writer_writes_comes_back(void **state)
{
    (void)state;
    AUTO_BUF struct buf stream = {0};
    AUTO_BUF struct buf seen = {0};
    struct error err = {0};
    sse_write_comment(&stream, "keeps it open");
    sse_write_event(&stream, "one", "a\r\nb", 4);
    sse_write_event(&stream, "two", "", 0);
    assert_int_equal(read_in(PIECES_AT_RANDOM, stream.data, stream.length, &seen, &err), 0);
    assert_string_equal(seen.data, "one=a\nb;two=;");
}

static void an_event_or_a_line_without_end_is_refused(void **state)
{
    (void)state;
    static const char line[] = "data: 0123456789012345678901234567890123456789\n";
    char many[1024] = "";
    for (int i = 0; i < 8; i++)
        strcat(many, line);
    char one[1024];
    memset(one, 'x', sizeof one);
    const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{many, strlen(many)}, {one, sizeof one}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int pieces = 0; pieces < PIECES_COUNT; pieces++) {
            AUTO_BUF struct buf seen = {0};
            struct error err = {0};
            assert_int_equal(
                read_in((enum pieces)pieces, cases[i].bytes, cases[i].length, &seen, &err), -1);
            assert_error(err, ERROR_LIMIT, "longer than 64 bytes");
        }
    }
}

static void the_handler_can_stop_the_reading(void **state)
{
    (void)state;
    AUTO_BUF struct buf seen = {0};
    struct error err = {0};
    static const char bytes[] = "data: a\n\ndata: stop\n\ndata: b\n\n";
    assert_int_equal(read_in(PIECES_ALL_AT_ONCE, bytes, strlen(bytes), &seen, &err), -1);
    assert_error(err, ERROR_CONFLICT, "stopped");
    assert_string_equal(seen.data, "=a;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_the_same_whatever_the_pieces),
        cmocka_unit_test(what_the_writer_writes_comes_back),
        cmocka_unit_test(an_event_or_a_line_without_end_is_refused),
        cmocka_unit_test(the_handler_can_stop_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
