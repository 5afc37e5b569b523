#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/http/multipart.h"
#include "tests/fuzz/fuzz.h"

/* Everything that the handler was told, as one text. */
struct record {
    struct buf events;
    bool in_part;
    int parts;
};

static int on_part(void *self, const struct multipart_part *part, struct error *err)
{
    (void)err;
    struct record *record = self;
    CHECK(!record->in_part && ++record->parts <= MULTIPART_PARTS_MAX);
    CHECK(text_is_utf8(part->name, strlen(part->name)));
    CHECK(!part->filename || text_is_utf8(part->filename, strlen(part->filename)));
    record->in_part = true;
    buf_printf(&record->events, "[part %s %s]", part->name, part->filename ? part->filename : "");
    return 0;
}

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    (void)err;
    struct record *record = self;
    CHECK(record->in_part && length > 0);
    buf_append(&record->events, data, length);
    return 0;
}

static int on_part_end(void *self, struct error *err)
{
    (void)err;
    struct record *record = self;
    CHECK(record->in_part);
    record->in_part = false;
    buf_append_text(&record->events, "[end]");
    return 0;
}

/* Feeds the body in pieces of the given size; returns the error's code. */
static enum error_code run(const char *content_type, const char *body, size_t length, size_t piece,
                           struct record *record)
{
    struct multipart_handler handler = {record, on_part, on_data, on_part_end};
    struct multipart *multipart = NULL;
    struct error err = {0};
    if (multipart_create(content_type, &handler, &multipart, &err) < 0)
        return err.code;
    int outcome = 0;
    for (size_t i = 0; i < length && outcome == 0; i += piece)
        outcome =
            multipart_feed(multipart, body + i, length - i < piece ? length - i : piece, &err);
    if (outcome == 0)
        outcome = multipart_finish(multipart, &err);
    if (outcome < 0)
        CHECK(multipart_feed(multipart, "x", 1, NULL) < 0);
    else
        CHECK(!record->in_part);
    multipart_destroy(multipart);
    return outcome < 0 ? err.code : ERROR_NONE;
}

/* Input: the Content-Type, a line end, the body. In whatever pieces the body arrives, the handler
 * is told the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = memchr(data, '\n', size);
    if (!line_end)
        return 0;
    AUTO_FREE char *content_type = xstrndup((const char *)data, (size_t)(line_end - data));
    const char *body = (const char *)line_end + 1;
    size_t length = size - (size_t)(line_end - data) - 1;

    struct record whole = {0};
    enum error_code code = run(content_type, body, length, length ? length : 1, &whole);
    static const size_t pieces[] = {1, 2, 3, 7};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct record record = {0};
        CHECK(run(content_type, body, length, pieces[i], &record) == code);
        CHECK(record.events.length == whole.events.length);
        CHECK(record.events.length == 0 ||
              memcmp(record.events.data, whole.events.data, record.events.length) == 0);
        buf_free(&record.events);
    }
    buf_free(&whole.events);
    return 0;
}
