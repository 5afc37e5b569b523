#include "sandboxd/api/output_feed.h"

#include "base/core/text.h"
#include "base/http/sse.h"
#include "base/json/writer.h"

static const char *const names[2] = {"stdout", "stderr"};

void output_feed_open(struct output_feed *feed, int64_t characters_max)
{
    *feed = (struct output_feed){.characters_left = {characters_max, characters_max}};
}

/* How much of the text its reader still wants. */
static size_t take_wanted(struct output_feed *feed, int index, const struct buf *text)
{
    int64_t left = feed->characters_left[index], count = 0;
    if (left < 0)
        return text->length;
    size_t wanted = text_first_characters(text->data, text->length, left, &count);
    feed->characters_left[index] -= count;
    return wanted;
}

static bool write_text(struct output_feed *feed, int index, const char *bytes, size_t length,
                       struct buf *out)
{
    AUTO_BUF struct buf text = {0}, data = {0};
    if (!text_append_utf8_lossy(&text, bytes, length))
        return false;
    size_t kept = take_wanted(feed, index, &text);
    struct writer writer = writer_begin(&data, false);
    writer_open_object(&writer, NULL);
    writer_text(&writer, "text", text.data, kept);
    writer_close_object(&writer);
    return writer_finish(&writer, NULL) == 0 &&
           sse_write_event(out, names[index], data.data, data.length);
}

static bool write_dropped(int index, uint64_t bytes, struct buf *out)
{
    AUTO_BUF struct buf data = {0};
    struct writer writer = writer_begin(&data, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "stream", names[index]);
    writer_integer(&writer, "bytes", (int64_t)bytes);
    writer_close_object(&writer);
    return writer_finish(&writer, NULL) == 0 &&
           sse_write_event(out, "dropped", data.data, data.length);
}

static bool next_of(struct output_feed *feed, int index, const struct capture *capture,
                    bool is_over, struct buf *out)
{
    static char bytes[OUTPUT_EVENT_BYTES_MAX]; /* one thread, and nothing is kept in between */
    uint64_t at = feed->at[index];
    if (at >= capture->total || feed->characters_left[index] == 0)
        return false;
    size_t length = 0;
    uint64_t start = capture_read(capture, at, bytes, sizeof bytes, &length);
    if (start > at && !write_dropped(index, start - at, out))
        return false;
    /* Nothing more can complete a character at the end, nor what lies behind a gap one before it.
     */
    bool at_end = start + length == capture->total;
    bool before_gap = !at_end && length < sizeof bytes;
    if (!before_gap && !(is_over && at_end))
        length = sse_cut(bytes, length);
    feed->at[index] = start + length;
    if (length == 0)
        return start > at;
    return write_text(feed, index, bytes, length, out);
}

bool output_feed_next(struct output_feed *feed, const struct run *run, bool is_over,
                      struct buf *out)
{
    bool wrote_output = next_of(feed, 0, &run->output, is_over, out);
    bool wrote_errors = next_of(feed, 1, &run->errors, is_over, out);
    return wrote_output || wrote_errors;
}
