#include "base/core/buf.h"
#include "base/core/text.h"
#include "base/http/http_target.h"
#include "tests/fuzz/fuzz.h"

/* The same target, every byte that can be escaped escaped. */
static void write_target(const struct http_target *target, struct buf *out)
{
    buf_append_text(out, "/");
    for (size_t i = 0; i < target->segment_count; i++) {
        text_percent_encode(out, target->segments[i], strlen(target->segments[i]), NULL);
        buf_append_text(out, "/");
    }
    for (size_t i = 0; i < target->parameter_count; i++) {
        buf_append_text(out, i ? "&" : "?");
        text_percent_encode(out, target->names[i], strlen(target->names[i]), NULL);
        buf_append_text(out, "=");
        text_percent_encode(out, target->values[i], strlen(target->values[i]), NULL);
    }
}

static void check_segment(const char *segment)
{
    CHECK(*segment && strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
    CHECK(text_is_utf8(segment, strlen(segment)));
}

static void check_same(const struct http_target *a, const struct http_target *b)
{
    CHECK(a->segment_count == b->segment_count && a->parameter_count == b->parameter_count);
    for (size_t i = 0; i < a->segment_count; i++)
        CHECK(strcmp(a->segments[i], b->segments[i]) == 0);
    for (size_t i = 0; i < a->parameter_count; i++) {
        CHECK(strcmp(a->names[i], b->names[i]) == 0);
        CHECK(strcmp(a->values[i], b->values[i]) == 0);
    }
}

/* What is accepted has no segment that climbs, and is the same when it is written and read again.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_target target, again;
    struct error err;
    if (http_target_parse((const char *)data, size, &target, &err) < 0)
        return 0;
    for (size_t i = 0; i < target.segment_count; i++)
        check_segment(target.segments[i]);
    AUTO_BUF struct buf text = {0};
    write_target(&target, &text);
    CHECK(http_target_parse(text.data, text.length, &again, &err) == 0);
    check_same(&target, &again);
    http_target_clear(&again);
    http_target_clear(&target);
    return 0;
}
