#include "agent/turn/traceback.h"

#include <string.h>

#include "base/core/text.h"

struct line {
    const char *start;
    size_t length; /* without its newline */
};

static bool starts_with(const struct line *line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line->length >= length && memcmp(line->start, prefix, length) == 0;
}

/* Python's form:   File "PATH", line 3, in name
 * A notebook's:  File PATH:3, in name
 * Returns the path, or an empty line. */
static struct line frame_path(const struct line *line)
{
    static const char plain[] = "  File \"";
    static const char notebook[] = "File ";
    struct line path = {line->start, 0};
    size_t skipped = starts_with(line, plain) ? strlen(plain) : 0;
    if (skipped == 0 && starts_with(line, notebook) &&
        memmem(line->start, line->length, ", in ", 5))
        skipped = strlen(notebook);
    path.start += skipped;
    path.length = line->length - skipped;
    if (skipped == 0)
        path.length = 0;
    return path;
}

/* Whether a frame is of the program that the model wrote, or of a file that it made. */
static bool is_of_the_program(const struct line *path)
{
    static const char *const places[] = {"<cell",      "<ipython-input", "<string>", "<stdin>",
                                         "/mnt/data/", "/tmp/",          "/home/",   "~/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (starts_with(path, places[i]))
            return true;
    }
    return false;
}

/* The source line and its marks. A notebook's frames end at an empty line. */
static bool belongs_to_frame(const struct line *line, bool is_notebook)
{
    return is_notebook ? line->length > 0 : starts_with(line, "    ");
}

static bool next_line(const char **data, size_t *length, struct line *ret_line)
{
    if (*length == 0)
        return false;
    const char *newline = memchr(*data, '\n', *length);
    ret_line->start = *data;
    ret_line->length = newline ? (size_t)(newline - *data) : *length;
    size_t used = ret_line->length + (newline ? 1 : 0);
    *data += used;
    *length -= used;
    return true;
}

struct trimmer {
    struct buf *out;
    unsigned left_out; /* frames in a row */
    bool skips;
    bool is_notebook; /* the frame being skipped */
};

static void tell_left_out(struct trimmer *trimmer)
{
    if (trimmer->left_out > 0)
        buf_printf(trimmer->out, "  [%u %s of libraries left out]\n", trimmer->left_out,
                   trimmer->left_out == 1 ? "frame" : "frames");
    trimmer->left_out = 0;
}

static void take_line(struct trimmer *trimmer, const struct line *line, bool ends)
{
    struct line path = frame_path(line);
    if (path.length > 0 && !is_of_the_program(&path)) {
        trimmer->skips = true;
        trimmer->is_notebook = line->start[0] == 'F';
        trimmer->left_out++;
        return;
    }
    if (path.length == 0 && trimmer->skips && belongs_to_frame(line, trimmer->is_notebook))
        return;
    bool was_skipping = trimmer->skips;
    trimmer->skips = false;
    if (was_skipping && trimmer->is_notebook && line->length == 0)
        return; /* the blank line behind a frame that is left out */
    tell_left_out(trimmer);
    buf_append(trimmer->out, line->start, line->length);
    if (ends)
        buf_append_text(trimmer->out, "\n");
}

void traceback_trim(const char *data, size_t length, struct buf *out)
{
    static const char mark[] = "Traceback (most recent call last)";
    if (length == 0 || !memmem(data, length, mark, strlen(mark))) {
        buf_append(out, data, length);
        return;
    }
    struct trimmer trimmer = {.out = out};
    struct line line;
    const char *end = data + length;
    while (next_line(&data, &length, &line))
        take_line(&trimmer, &line, line.start + line.length < end);
    tell_left_out(&trimmer);
}
