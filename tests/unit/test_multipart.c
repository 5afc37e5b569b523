#include "base/http/multipart.h"

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "tests/support/unit.h"

#define FORM "multipart/form-data; boundary=XX"

static int on_part(void *self, const struct multipart_part *part, struct error *err)
{
    (void)err;
    buf_printf(self, "<%s:%s>", part->name, part->filename ? part->filename : "-");
    return 0;
}

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    (void)err;
    buf_append(self, data, length);
    return 0;
}

static int on_part_end(void *self, struct error *err)
{
    (void)err;
    buf_append_text(self, "</>");
    return 0;
}

/* What the handler was told, or the error's code. */
static enum error_code run(const char *content_type, const char *body, size_t length,
                           struct buf *events, struct error *err)
{
    struct multipart_handler handler = {events, on_part, on_data, on_part_end};
    struct multipart *multipart = NULL;
    *err = (struct error){0};
    if (multipart_create(content_type, &handler, &multipart, err) < 0)
        return err->code;
    if (multipart_feed(multipart, body, length, err) == 0)
        multipart_finish(multipart, err);
    multipart_destroy(multipart);
    return err->code;
}

static void what_real_clients_send_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *content_type;
        const char *body;
        const char *events;
    } cases[] = {
        {FORM,
         "--XX\r\nContent-Disposition: form-data; name=\"file\"; "
         "filename=\"a.txt\"\r\n\r\nhi\r\n--XX--\r\n",
         "<file:a.txt>hi</>"},
        {"Multipart/Form-Data; charset=utf-8; boundary=\"X X\"",
         "--X X\r\ncontent-disposition: form-data; name=file; filename=x.txt; "
         "filename*=utf-8''%C3%A4.txt\r\n\r\n\r\n--X X--",
         "<file:\xC3\xA4.txt></>"},
        {FORM,
         "--XX\r\nContent-Disposition: form-data; filename*=UTF-8'en'b; filename=\"a\"; "
         "name=f\r\n\r\n1\r\n--XX--",
         "<f:b>1</>"},
        {FORM,
         "--XX\r\nContent-Disposition: form-data; name=\"f\"; "
         "filename=\"a%22b\\\"c\\\\d%20\xC3\xA4\"\r\n\r\n1\r\n--XX--",
         "<f:a\"b\"c\\d%20\xC3\xA4>1</>"},
        {FORM, "a preamble\r\n--XX \t\r\n\r\nno headers\r\n--XX--an epilogue\r\n--XX\r\n",
         "<:->no headers</>"},
        {FORM, "--XX\r\n\r\n\r\n\r\n-\r\r\n--X\r\n--XX--", "<:->\r\n\r\n-\r\r\n--X</>"},
        {FORM, "--XX--", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf events = {0};
        struct error err;
        buf_append_text(&events, "");
        assert_int_equal(
            run(cases[i].content_type, cases[i].body, strlen(cases[i].body), &events, &err),
            ERROR_NONE);
        assert_string_equal(events.data, cases[i].events);
    }
}

static void malformed_bodies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *word;
    } cases[] = {
        {"", "closing boundary"},
        {"--XX\r\n\r\nabc\r\n--X", "closing boundary"},
        {"--XX\r\n\r\nabc\r\n--XX\r\n", "closing boundary"},
        {"--XXY\r\n\r\nabc\r\n--XX--", "follows a boundary"},
        {"--XX\r\nA: b\n\r\n", "CR LF"},
        {"--XX\r\nA: b\rc\r\n", "CR LF"},
        {"--XX\r\nno colon\r\n\r\n", "no name"},
        {"--XX\r\n folded: b\r\n\r\n", "no name"},
        {"--XX\r\nContent-Disposition: attachment; name=f\r\n\r\n", "form-data"},
        {"--XX\r\nContent-Disposition: form-data\r\nContent-Disposition: form-data\r\n\r\n", "two"},
        {"--XX\r\nContent-Disposition: form-data; name=\"f\r\n\r\n", "not closed"},
        {"--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n", "twice"},
        {"--XX\r\nContent-Disposition: form-data; filename=\"\xFF\"\r\n\r\n", "UTF-8"},
        {"--XX\r\nContent-Disposition: form-data; filename*=utf-8''%00\r\n\r\n", "NUL"},
        {"--XX\r\nContent-Disposition: form-data; filename*=latin1''a\r\n\r\n", "utf-8''"},
        {"--XX\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", "multipart itself"},
        {"--XX\r\nContent-Transfer-Encoding: base64\r\n\r\n", "Transfer-Encoding"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf events = {0};
        struct error err;
        run(FORM, cases[i].body, strlen(cases[i].body), &events, &err);
        assert_error(err, ERROR_INVALID, cases[i].word);
    }
    AUTO_BUF struct buf events = {0};
    struct error err;
    static const char with_nul[] = "--XX\r\nA: b\0c\r\n\r\n";
    run(FORM, with_nul, sizeof with_nul - 1, &events, &err);
    assert_error(err, ERROR_INVALID, "NUL");
}

static void the_boundary_is_one_to_seventy_characters(void **state)
{
    (void)state;
    static const struct {
        const char *content_type;
        bool valid;
    } cases[] = {
        {FORM, true},
        {"multipart/form-data; boundary="
         "0123456789012345678901234567890123456789012345678901234567890123456789",
         true},
        {"multipart/form-data; boundary="
         "01234567890123456789012345678901234567890123456789012345678901234567890",
         false},
        {"multipart/form-data", false},
        {"multipart/form-data; boundary=", false},
        {"multipart/form-data; boundary=\"\"", false},
        {"multipart/form-data; boundary=\"a \"", false},
        {"multipart/form-data; boundary=a; boundary=b", false},
        {"multipart/mixed; boundary=a", false},
        {"application/json", false},
        {"", false},
        {NULL, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct multipart_handler handler = {0};
        struct multipart *multipart = NULL;
        struct error err = {0};
        int outcome = multipart_create(cases[i].content_type, &handler, &multipart, &err);
        assert_int_equal(outcome, cases[i].valid ? 0 : -1);
        assert_int_equal(err.code, cases[i].valid ? ERROR_NONE : ERROR_INVALID);
        multipart_destroy(multipart);
    }
}

static void a_form_has_at_most_sixteen_parts(void **state)
{
    (void)state;
    AUTO_BUF struct buf body = {0};
    AUTO_BUF struct buf events = {0};
    struct error err;
    for (int i = 0; i < MULTIPART_PARTS_MAX; i++)
        buf_append_text(&body, "--XX\r\n\r\n\r\n");
    buf_append_text(&body, "--XX--");
    assert_int_equal(run(FORM, body.data, body.length, &events, &err), ERROR_NONE);
    body.length -= 2;
    buf_append_text(&body, "\r\n\r\n\r\n--XX--");
    assert_int_equal(run(FORM, body.data, body.length, &events, &err), ERROR_LIMIT);
}

static void a_part_has_at_most_8_kib_of_headers(void **state)
{
    (void)state;
    for (int more = 0; more <= 1; more++) {
        AUTO_BUF struct buf body = {0};
        AUTO_BUF struct buf events = {0};
        struct error err;
        AUTO_FREE char *value = xcalloc(MULTIPART_HEADER_BYTES_MAX, 1);
        /* the line end after the boundary, "A: ", and the two line ends of the header */
        memset(value, 'v', (size_t)(MULTIPART_HEADER_BYTES_MAX - 2 - 3 - 4 + more));
        buf_printf(&body, "--XX\r\nA: %s\r\n\r\n\r\n--XX--", value);
        assert_int_equal(run(FORM, body.data, body.length, &events, &err),
                         more ? ERROR_LIMIT : ERROR_NONE);
    }
}

static int refuse(void *self, const struct multipart_part *part, struct error *err)
{
    (void)self;
    (void)part;
    return error_set(err, ERROR_DENIED, "not today");
}

static void an_error_of_the_handler_stops_it_for_good(void **state)
{
    (void)state;
    struct multipart_handler handler = {NULL, refuse, on_data, on_part_end};
    struct multipart *multipart = NULL;
    struct error err = {0};
    assert_int_equal(multipart_create(FORM, &handler, &multipart, &err), 0);
    assert_int_equal(multipart_feed(multipart, "--XX\r\n\r\nabc", 11, &err), -1);
    assert_error(err, ERROR_DENIED, "not today");
    err = (struct error){0};
    assert_int_equal(multipart_feed(multipart, "abc", 3, &err), -1);
    assert_int_equal(multipart_finish(multipart, &err), -1);
    assert_error(err, ERROR_DENIED, "not today");
    multipart_destroy(multipart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_real_clients_send_is_read),
        cmocka_unit_test(malformed_bodies_are_refused),
        cmocka_unit_test(the_boundary_is_one_to_seventy_characters),
        cmocka_unit_test(a_form_has_at_most_sixteen_parts),
        cmocka_unit_test(a_part_has_at_most_8_kib_of_headers),
        cmocka_unit_test(an_error_of_the_handler_stops_it_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
