#include "agent/turn/observation.h"

#include <inttypes.h>
#include <string.h>

#include "agent/pool/value.h"
#include "agent/screen/terminal.h"
#include "agent/turn/layout.h"
#include "agent/turn/traceback.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/writer.h"

enum {
    FENCE_BYTES_MIN = 3,
    REFUSALS_TOLD_MAX = 8,
    REFUSAL_BYTES_MAX = 2 * 1024,
};

/* ---- bounded text ---- */

/* A progress bar writes over its own line: what stands before the last carriage return is gone from
 * a screen too. */
static void fold_carriage_returns(const char *data, size_t length, struct buf *out)
{
    const char *end = data + length;
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        const char *stop = newline ? newline : end;
        const char *last = stop;
        while (last > data && last[-1] == '\r') /* "\r\n", or a bar that has just ended */
            last--;
        const char *previous = last > data ? memrchr(data, '\r', (size_t)(last - data)) : NULL;
        const char *start = previous ? previous + 1 : data;
        buf_append(out, start, (size_t)(last - start));
        if (newline)
            buf_append_text(out, "\n");
        data = newline ? newline + 1 : end;
    }
}

/* Begins and ends at whole characters. */
static size_t cut_head(const char *data, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)data[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static size_t cut_tail(const char *data, size_t length, size_t most)
{
    size_t start = length > most ? length - most : 0;
    while (start < length && ((unsigned char)data[start] & 0xc0) == 0x80)
        start++;
    return length - start;
}

/* Escapes as much of one end as fits; returns how many bytes of data that is. */
static size_t escape_end(const char *data, size_t length, size_t most, bool tail, struct buf *out)
{
    for (size_t raw = most;; raw /= 2) {
        AUTO_BUF struct buf safe = {0};
        size_t used = tail ? cut_tail(data, length, raw) : cut_head(data, length, raw);
        const char *start = tail ? data + (length - used) : data;
        terminal_escape(&safe, start, used, TERMINAL_TEXT, true);
        if (safe.length <= most) {
            buf_append(out, safe.data, safe.length);
            return used;
        }
    }
}

void observation_text(const char *data, size_t length, size_t most_bytes, struct buf *out)
{
    AUTO_BUF struct buf folded = {0};
    AUTO_BUF struct buf safe = {0};
    fold_carriage_returns(data, length, &folded);
    if (folded.length <= most_bytes)
        terminal_escape(&safe, folded.data, folded.length, TERMINAL_TEXT, true);
    if (folded.length <= most_bytes && safe.length <= most_bytes) {
        buf_append(out, safe.data, safe.length);
        return;
    }
    AUTO_BUF struct buf tail = {0};
    size_t used = escape_end(folded.data, folded.length, most_bytes / 3 * 2, false, out);
    used += escape_end(folded.data + used, folded.length - used, most_bytes / 3, true, &tail);
    buf_printf(out, "\n[... %zu of %zu bytes left out ...]\n", folded.length - used, folded.length);
    buf_append(out, tail.data, tail.length);
}

static size_t longest_run(const char *data, size_t length, char byte)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < length; i++) {
        run = data[i] == byte ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

void observation_fence(const char *language, const char *data, size_t length, size_t most_bytes,
                       struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    AUTO_BUF struct buf fence = {0};
    observation_text(data, length, most_bytes, &text);
    size_t run = longest_run(text.data, text.length, '`') + 1;
    for (size_t i = 0; i < run || i < FENCE_BYTES_MIN; i++)
        buf_append_text(&fence, "`");

    buf_printf(out, "%s%s\n", fence.data, language);
    buf_append(out, text.data, text.length);
    bool ends = text.length > 0 && text.data[text.length - 1] == '\n';
    buf_printf(out, "%s%s\n", ends ? "" : "\n", fence.data);
}

/* ---- the fenced form ---- */

static void write_stream(const char *name, const char *data, size_t length, size_t most,
                         struct buf *out)
{
    if (length == 0)
        return;
    buf_printf(out, "%s, %zu bytes:\n", name, length);
    observation_fence("text", data, length, most, out);
}

static void write_value(const struct wire_execution *execution, const char *image, struct buf *out)
{
    struct value value;
    if (value_read(execution->result, execution->result_length, &value, NULL) < 0) {
        buf_append_text(out, "value: an image that cannot be decoded\n");
        return;
    }
    if (value.kind == VALUE_IMAGE)
        buf_printf(out, "value: an image (PNG, %zu bytes), shown to the user as %s\n", value.length,
                   image ? image : "an image");
    else if (value.kind == VALUE_TEXT)
        write_stream("value", value.data, value.length, OBSERVATION_VALUE_BYTES_MAX, out);
    value_clear(&value);
}

/* Texts of the guest's, so they are fenced too. Hosts are left out: there is a fact about them. */
static void write_refusals(const struct wire_execution *execution, struct buf *out)
{
    AUTO_BUF struct buf lines = {0};
    for (size_t i = 0, told = 0; i < execution->refusal_count && told < REFUSALS_TOLD_MAX; i++) {
        const struct wire_refusal *refusal = &execution->refusals[i];
        if (refusal->kind == WIRE_REFUSAL_NETWORK)
            continue;
        bool is_call = refusal->kind == WIRE_REFUSAL_CALL;
        buf_printf(&lines, "%s%s%s%s\n", refusal->subject ? refusal->subject : "?",
                   is_call ? "()" : "", refusal->error ? ": " : "",
                   refusal->error ? refusal->error : "");
        told++;
    }
    if (lines.length == 0)
        return;
    buf_append_text(out, "refused by the sandbox:\n");
    observation_fence("text", lines.data, lines.length, REFUSAL_BYTES_MAX, out);
}

static const char *outcome_of(enum wire_status status)
{
    switch (status) {
    case WIRE_STATUS_SUCCEEDED:
        return "Succeeded";
    case WIRE_STATUS_CANCELED:
        return "Cancelled";
    default:
        return "Failed";
    }
}

static void write_fenced(const struct wire_execution *execution, const char *image,
                         const char *fact, struct buf *out)
{
    AUTO_BUF struct buf errors = {0};
    traceback_trim(execution->standard_error, execution->standard_error_length, &errors);
    buf_printf(out, "%s after %" PRId64 " ms.\n", outcome_of(execution->status),
               execution->execution_time_ms);
    size_t before = out->length;
    write_stream("stdout", execution->standard_output, execution->standard_output_length,
                 OBSERVATION_OUTPUT_BYTES_MAX, out);
    write_stream("stderr", errors.data, errors.length, OBSERVATION_ERRORS_BYTES_MAX, out);
    write_value(execution, image, out);
    write_refusals(execution, out);
    if (out->length == before)
        buf_append_text(out, "It printed nothing and its last line has no value.\n");
    if (fact && *fact)
        buf_printf(out, "Note: %s\n", fact);
}

/* ---- LangChain's form ---- */

static void write_string(const struct buf *text, struct buf *out)
{
    struct writer writer = writer_begin(out, false);
    writer_text(&writer, NULL, text->data, text->length);
    writer_finish(&writer, NULL);
}

/* The value as JSON: as it came where that is short enough, else a string with its two ends. */
static void write_json_value(const struct wire_execution *execution, struct buf *out)
{
    struct value value;
    bool is_image = false;
    if (value_read(execution->result, execution->result_length, &value, NULL) < 0) {
        buf_append_text(out, "\"\"");
        return;
    }
    is_image = value.kind == VALUE_IMAGE;
    bool is_text = execution->result_length > 0 && execution->result[0] == '"';
    AUTO_BUF struct buf text = {0};
    if (is_image) {
        layout_indent("{\"type\":\"image\",\"format\":\"png\"}", 1, out);
    } else if (!is_text && execution->result_length > 0 &&
               execution->result_length <= OBSERVATION_VALUE_BYTES_MAX) {
        AUTO_FREE char *raw = xstrndup(execution->result, execution->result_length);
        layout_indent(raw, 1, out);
    } else {
        observation_text(value.data, value.length, OBSERVATION_VALUE_BYTES_MAX, &text);
        write_string(&text, out);
    }
    value_clear(&value);
}

static void write_python_repl(const struct wire_execution *execution, const char *fact,
                              struct buf *out)
{
    AUTO_BUF struct buf output = {0};
    AUTO_BUF struct buf trimmed = {0};
    AUTO_BUF struct buf errors = {0};
    observation_text(execution->standard_output, execution->standard_output_length,
                     OBSERVATION_OUTPUT_BYTES_MAX, &output);
    traceback_trim(execution->standard_error, execution->standard_error_length, &trimmed);
    observation_text(trimmed.data, trimmed.length, OBSERVATION_ERRORS_BYTES_MAX, &errors);
    if (fact && *fact)
        buf_printf(&errors, "%sNote: %s",
                   errors.length > 0 && errors.data[errors.length - 1] != '\n' ? "\n" : "", fact);

    buf_append_text(out, "{\n  \"result\": ");
    write_json_value(execution, out);
    buf_append_text(out, ",\n  \"stdout\": ");
    write_string(&output, out);
    buf_append_text(out, ",\n  \"stderr\": ");
    write_string(&errors, out);
    buf_append_text(out, "\n}");
}

void observation_write(const struct wire_execution *execution, enum observation_layout layout,
                       const char *image, const char *fact, struct buf *out)
{
    if (layout == OBSERVATION_PYTHON_REPL)
        write_python_repl(execution, fact, out);
    else
        write_fenced(execution, image, fact, out);
}
