#include "sandboxd/api/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/api/call_name.h"

/* The service's own words; clients look for them. */
static const char timed_out_text[] = "Request timed out waiting for code execution to complete";
static const char aborted_text[] = "Execution aborted";

/* For a model: what is wrong, what not to do, what to do (docs/api.md, "What was refused"). */
static const char no_network_text[] =
    "network is disabled in this session; do not retry; ask for the data as a file\n";
static const char no_names_text[] =
    "host names are not resolved in this session; do not retry; ask for the data as a file\n";
static const char limited_text[] = "network access of this session is limited to ";
static const char limited_end_text[] = "; do not retry; ask for the data as a file\n";

enum { RANGES_TOLD_MAX = 4 };

/* JSON text of a value, escaped: the value's limit times the longest escape. */
enum { RESULT_JSON_BYTES_MAX = 6 * RESULT_BYTES_LIMIT + 64 };

int64_t answer_execution_time_ms(const struct run *run)
{
    int64_t us = run->outcome == RUN_FINISHED ? (int64_t)(run->done.wall_us & INT64_MAX)
                                              : run->answered_us - run->started_us;
    return us / 1000;
}

static void start_line(struct buf *text)
{
    if (text->length > 0 && text->data[text->length - 1] != '\n')
        buf_append_text(text, "\n");
}

static void write_ranges(const struct pool_egress *egress, struct buf *out)
{
    char text[ADDRESS_RANGE_TEXT_MAX];
    uint32_t told = egress->range_count < RANGES_TOLD_MAX ? egress->range_count : RANGES_TOLD_MAX;
    if (told == 0)
        buf_append_text(out, "public IPv4 addresses");
    for (uint32_t i = 0; i < told; i++) {
        address_range_write(&egress->ranges[i], text);
        buf_printf(out, "%s%s", i ? ", " : "", text);
    }
    if (told < egress->range_count)
        buf_printf(out, " and %u more ranges", egress->range_count - told);
}

/* A network that is there says nothing when it fails for another reason than its rules. */
static void write_network(const struct run *run, struct buf *out)
{
    const struct pool_egress *egress = &run->egress;
    uint32_t number = run->refusals.network_error;
    start_line(out);
    if (!egress->enabled) {
        buf_append_text(out, no_network_text);
    } else if (number == EHOSTUNREACH) {
        buf_append_text(out, limited_text);
        write_ranges(egress, out);
        buf_append_text(out, limited_end_text);
    } else if (number == 0 && !egress->names) {
        buf_append_text(out, no_names_text);
    }
}

static void write_errors(const struct run *run, struct buf *out)
{
    if (run->outcome == RUN_TIMED_OUT) {
        buf_append_text(out, timed_out_text);
        return;
    }
    capture_write(&run->errors, out);
    if (run->outcome == RUN_ABORTED) {
        start_line(out);
        buf_append_text(out, aborted_text);
        if (run->ending[0])
            buf_printf(out, "\n%s", run->ending);
        return;
    }
    if (run->result_total > run->result.length) {
        start_line(out);
        buf_printf(out, "The result of %" PRIu64 " bytes is larger than %d; %s.\n",
                   run->result_total, RESULT_BYTES_LIMIT,
                   run->done.display == DISPLAY_IMAGE ? "the figure is left out" : "it was cut");
    }
    if (run->outcome == RUN_FINISHED && run->refusals.network_ended_it)
        write_network(run, out);
}

static char *error_name(uint32_t number)
{
    const char *name = strerrorname_np((int)number);
    return name ? xstrdup(name) : xasprintf("%u", number);
}

static struct wire_refusal view_refusal(const struct refusal *refusal)
{
    static const enum wire_refusal_kind kinds[] = {
        [REFUSAL_CALL] = WIRE_REFUSAL_CALL,
        [REFUSAL_NETWORK] = WIRE_REFUSAL_NETWORK,
        [REFUSAL_FILE] = WIRE_REFUSAL_FILE,
        [REFUSAL_PROCESS] = WIRE_REFUSAL_PROCESS,
    };
    struct wire_refusal view = {
        .kind = kinds[refusal->kind],
        .count = (int64_t)(refusal->count & INT64_MAX),
        .line = refusal->line,
        .file = refusal->file[0] ? xstrdup(refusal->file) : NULL,
    };
    _Static_assert(sizeof view.arguments == sizeof refusal->arguments, "six registers");
    memcpy(view.arguments, refusal->arguments, sizeof view.arguments);
    if (refusal->kind == REFUSAL_CALL) {
        char name[CALL_NAME_MAX];
        view.subject = xstrdup(call_name(refusal->number, name));
        return view;
    }
    view.subject = xstrdup(refusal->subject);
    if (refusal->kind == REFUSAL_NETWORK)
        view.port = refusal->number;
    else
        view.error = error_name(refusal->number);
    return view;
}

static void view_refusals(const struct refusals *refusals, struct wire_execution *execution)
{
    if (refusals->count == 0)
        return;
    execution->refusals = xcalloc(refusals->count, sizeof *execution->refusals);
    for (size_t i = 0; i < refusals->count; i++)
        execution->refusals[i] = view_refusal(&refusals->items[i]);
    execution->refusal_count = refusals->count;
}

/* The raw JSON of the value; empty for none. */
static void write_result(const struct run *run, const struct answer_options *options,
                         struct buf *out)
{
    bool cut = run->result_total > run->result.length;
    if (run->outcome != RUN_FINISHED)
        return;
    if (run->done.display == DISPLAY_NONE && options->none_as_null)
        buf_append_text(out, "null");
    if (run->done.display == DISPLAY_IMAGE && !cut)
        wire_write_image((const uint8_t *)run->result.data, run->result.length, out);
    if (run->done.display == DISPLAY_TEXT) {
        AUTO_BUF struct buf text = {0};
        text_append_utf8_lossy(&text, run->result.data ? run->result.data : "", run->result.length);
        wire_write_value(text.data ? text.data : "", text.length, options->value_as_text || cut,
                         out);
    }
}

static void truncate_characters(struct buf *text, int64_t most)
{
    int64_t count;
    size_t length = text_first_characters(text->data, text->length, most, &count);
    if (length < text->length) {
        text->length = length;
        text->data[length] = '\0';
    }
}

static char *take_stream(struct buf *text, const struct answer_options *options, size_t *ret_length)
{
    if (options->stream_characters_max >= 0)
        truncate_characters(text, options->stream_characters_max);
    *ret_length = text->length;
    return buf_take(text);
}

void answer_fill(const struct run *run, const struct answer_options *options,
                 struct wire_execution *execution)
{
    AUTO_BUF struct buf output = {0}, errors = {0}, result = {.limit = RESULT_JSON_BYTES_MAX};
    capture_write(&run->output, &output);
    write_errors(run, &errors);
    write_result(run, options, &result);

    bool succeeded = run->outcome == RUN_FINISHED && run->done.succeeded;
    execution->status = run->outcome == RUN_CANCELED ? WIRE_STATUS_CANCELED
                        : succeeded                  ? WIRE_STATUS_SUCCEEDED
                                                     : WIRE_STATUS_FAILED;
    execution->standard_output = take_stream(&output, options, &execution->standard_output_length);
    execution->standard_error = take_stream(&errors, options, &execution->standard_error_length);
    execution->result_length = result.length;
    execution->result = result.length > 0 ? buf_take(&result) : NULL;
    execution->execution_time_ms = answer_execution_time_ms(run);
    if (options->with_refusals)
        view_refusals(&run->refusals, execution);
}
