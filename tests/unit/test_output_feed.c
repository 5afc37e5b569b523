#include "sandboxd/api/output_feed.h"

#include "tests/support/unit.h"

struct fixture {
    struct run run;
    struct output_feed feed;
    struct buf out;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    capture_open(&f.run.output, CAPTURE_BYTES_MAX);
    capture_open(&f.run.errors, CAPTURE_BYTES_MAX);
    output_feed_open(&f.feed, -1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    run_clear(&f->run);
    buf_free(&f->out);
    return 0;
}

static void print(struct fixture *f, const char *text)
{
    capture_append(&f->run.output, text, strlen(text));
}

/* Everything that there is now; "" for nothing. */
static void expect(struct fixture *f, bool is_over, const char *events)
{
    buf_clear(&f->out);
    while (output_feed_next(&f->feed, &f->run, is_over, &f->out))
        ;
    assert_string_equal(f->out.length ? f->out.data : "", events);
}

static void output_comes_as_it_is_written(void **state)
{
    struct fixture *f = *state;
    expect(f, false, "");
    print(f, "a\n");
    capture_append(&f->run.errors, "oops", 4);
    expect(
        f, false,
        "event: stdout\ndata: {\"text\":\"a\\n\"}\n\nevent: stderr\ndata: {\"text\":\"oops\"}\n\n");
    expect(f, false, "");
    print(f, "b");
    expect(f, true, "event: stdout\ndata: {\"text\":\"b\"}\n\n");
    expect(f, true, "");
}

static void a_character_waits_for_its_rest(void **state)
{
    struct fixture *f = *state;
    print(f, "a\xE2\x82");
    expect(f, false, "event: stdout\ndata: {\"text\":\"a\"}\n\n");
    expect(f, false, "");
    print(f, "\xAC!");
    expect(f, false, "event: stdout\ndata: {\"text\":\"\xE2\x82\xAC!\"}\n\n");
    print(f, "\xE2");
    expect(f, false, "");
    expect(f, true, "event: stdout\ndata: {\"text\":\"\xEF\xBF\xBD\"}\n\n");
}

static void long_output_comes_in_pieces(void **state)
{
    struct fixture *f = *state;
    print(f, "a"); /* no event ends with a character */
    for (int i = 0; i < OUTPUT_EVENT_BYTES_MAX; i++)
        print(f, "\xC3\xA9");
    for (int over = 0; over < 2; over++) {
        int events = 0;
        output_feed_open(&f->feed, -1);
        buf_clear(&f->out);
        while (output_feed_next(&f->feed, &f->run, over, &f->out))
            events++;
        assert_int_equal(events, 3);
        assert_null(strstr(f->out.data, "\xEF\xBF\xBD"));
    }
}

static void what_a_slow_reader_missed_is_counted(void **state)
{
    struct fixture *f = *state;
    capture_open(&f->run.output, 8);
    print(f, "ab");
    expect(f, false, "event: stdout\ndata: {\"text\":\"ab\"}\n\n");
    print(f, "c\xE2\x82\xAC"
             "3456789");
    expect(f, false,
           "event: stdout\ndata: {\"text\":\"c\xEF\xBF\xBD\"}\n\n"
           "event: dropped\ndata: {\"stream\":\"stdout\",\"bytes\":5}\n\n"
           "event: stdout\ndata: {\"text\":\"6789\"}\n\n");
}

static void a_limit_in_characters_holds_for_each_stream(void **state)
{
    struct fixture *f = *state;
    output_feed_open(&f->feed, 3);
    print(f, "\xC3\xA9"
             "b");
    capture_append(&f->run.errors, "wxyz", 4);
    expect(f, false,
           "event: stdout\ndata: {\"text\":\"\xC3\xA9"
           "b\"}\n\n"
           "event: stderr\ndata: {\"text\":\"wxy\"}\n\n");
    print(f, "cd");
    capture_append(&f->run.errors, "!", 1);
    expect(f, false, "event: stdout\ndata: {\"text\":\"c\"}\n\n");
    print(f, "e");
    expect(f, true, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(output_comes_as_it_is_written),
        TEST(a_character_waits_for_its_rest),
        TEST(long_output_comes_in_pieces),
        TEST(what_a_slow_reader_missed_is_counted),
        TEST(a_limit_in_characters_holds_for_each_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
