/* The Responses API: numbered events, each with its type, and no [DONE]. */
#include <stdio.h>
#include <string.h>

#include "agent/tape/speech.h"
#include "base/json/writer.h"

struct responses {
    const struct speech *speech;
    struct reply *reply;
    struct writer writer;
    int64_t delay_ms;
    unsigned sequence;
    unsigned items;
    unsigned calls;
};

static void open_event(struct responses *r, const char *type)
{
    buf_printf(&r->reply->body, "event: %s\ndata: ", type);
    r->writer = writer_begin(&r->reply->body, false);
    writer_open_object(&r->writer, NULL);
    writer_string(&r->writer, "type", type);
    writer_integer(&r->writer, "sequence_number", r->sequence++);
}

static void close_event(struct responses *r)
{
    writer_close_object(&r->writer);
    writer_finish(&r->writer, NULL);
    buf_append_text(&r->reply->body, "\n\n");
    reply_end_piece(r->reply, r->delay_ms);
    r->delay_ms = 0;
}

static void write_id(struct responses *r, const char *key, const char *kind, unsigned number)
{
    char id[48];
    snprintf(id, sizeof id, "%s_script_%u_%u", kind, r->speech->answer, number);
    writer_string(&r->writer, key, id);
}

static void write_position(struct responses *r, const char *kind)
{
    write_id(r, "item_id", kind, r->items);
    writer_integer(&r->writer, "output_index", r->items);
}

/* ---- items ---- */

static void write_message(struct responses *r, const struct script_step *step, bool is_complete)
{
    writer_string(&r->writer, "type", "message");
    write_id(r, "id", "msg", r->items);
    writer_string(&r->writer, "status", is_complete ? "completed" : "in_progress");
    writer_string(&r->writer, "role", "assistant");
    writer_open_array(&r->writer, "content");
    if (is_complete) {
        writer_open_object(&r->writer, NULL);
        writer_string(&r->writer, "type", "output_text");
        writer_text(&r->writer, "text", step->text, step->length);
        writer_close_object(&r->writer);
    }
    writer_close_array(&r->writer);
}

static void write_reasoning(struct responses *r, const struct script_step *step, bool is_complete)
{
    writer_string(&r->writer, "type", "reasoning");
    write_id(r, "id", "rs", r->items);
    writer_open_array(&r->writer, "summary");
    if (is_complete) {
        writer_open_object(&r->writer, NULL);
        writer_string(&r->writer, "type", "summary_text");
        writer_text(&r->writer, "text", step->text, step->length);
        writer_close_object(&r->writer);
    }
    writer_close_array(&r->writer);
}

static void write_call(struct responses *r, const struct script_step *step, bool is_complete)
{
    char id[32];
    snprintf(id, sizeof id, "call_%u", r->speech->first_call + r->calls);
    writer_string(&r->writer, "type", "function_call");
    write_id(r, "id", "fc", r->items);
    writer_string(&r->writer, "call_id", id);
    writer_string(&r->writer, "name", step->name);
    writer_text(&r->writer, "arguments", is_complete ? step->text : "",
                is_complete ? step->length : 0);
    writer_string(&r->writer, "status", is_complete ? "completed" : "in_progress");
}

/* What differs between the kinds of items. */
static const struct item_kind {
    enum script_kind step;
    const char *id;
    const char *delta;
    const char *index; /* a further index that its deltas have */
    void (*write)(struct responses *r, const struct script_step *step, bool is_complete);
} kinds[] = {
    {SCRIPT_SAY, "msg", "response.output_text.delta", "content_index", write_message},
    {SCRIPT_THINK, "rs", "response.reasoning_summary_text.delta", "summary_index", write_reasoning},
    {SCRIPT_CALL, "fc", "response.function_call_arguments.delta", NULL, write_call},
};

static const struct item_kind *kind_of(const struct script_step *step)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].step == step->kind)
            return &kinds[i];
    }
    return NULL;
}

static void stream_frame(struct responses *r, const struct item_kind *kind,
                         const struct script_step *step, bool is_complete)
{
    open_event(r, is_complete ? "response.output_item.done" : "response.output_item.added");
    writer_integer(&r->writer, "output_index", r->items);
    writer_open_object(&r->writer, "item");
    kind->write(r, step, is_complete);
    writer_close_object(&r->writer);
    close_event(r);
}

static void stream_item(struct responses *r, const struct item_kind *kind,
                        const struct script_step *step)
{
    stream_frame(r, kind, step, false);
    for (size_t at = 0, length; at < step->length; at += length) {
        const char *text = step->text + at;
        length = step->kind == SCRIPT_CALL ? speech_next_fragment(text, step->length - at)
                                           : speech_next_word(text, step->length - at);
        open_event(r, kind->delta);
        write_position(r, kind->id);
        if (kind->index)
            writer_integer(&r->writer, kind->index, 0);
        writer_text(&r->writer, "delta", text, length);
        close_event(r);
    }
    if (step->kind == SCRIPT_CALL) {
        open_event(r, "response.function_call_arguments.done");
        write_position(r, kind->id);
        writer_text(&r->writer, "arguments", step->text, step->length);
        close_event(r);
    }
    stream_frame(r, kind, step, true);
}

static void count_item(struct responses *r, const struct script_step *step)
{
    r->items++;
    r->calls += step->kind == SCRIPT_CALL;
}

/* ---- the response ---- */

static bool is_incomplete(const struct responses *r)
{
    const char *finish = speech_finish(r->speech);
    return strcmp(finish, "length") == 0 || strcmp(finish, "content_filter") == 0;
}

static void write_outcome(struct responses *r)
{
    writer_string(&r->writer, "status", is_incomplete(r) ? "incomplete" : "completed");
    if (is_incomplete(r)) {
        bool is_length = strcmp(speech_finish(r->speech), "length") == 0;
        writer_open_object(&r->writer, "incomplete_details");
        writer_string(&r->writer, "reason", is_length ? "max_output_tokens" : "content_filter");
        writer_close_object(&r->writer);
    }
    r->items = r->calls = 0;
    writer_open_array(&r->writer, "output");
    for (size_t i = 0; i < r->speech->count; i++) {
        const struct item_kind *kind = kind_of(r->speech->steps[i]);
        if (!kind)
            continue;
        writer_open_object(&r->writer, NULL);
        kind->write(r, r->speech->steps[i], true);
        writer_close_object(&r->writer);
        count_item(r, r->speech->steps[i]);
    }
    writer_close_array(&r->writer);
    writer_open_object(&r->writer, "usage");
    writer_integer(&r->writer, "input_tokens", r->speech->input_tokens);
    writer_integer(&r->writer, "output_tokens", r->speech->output_tokens);
    writer_integer(&r->writer, "total_tokens", r->speech->input_tokens + r->speech->output_tokens);
    writer_close_object(&r->writer);
}

static void write_response(struct responses *r, bool is_over)
{
    char id[48];
    snprintf(id, sizeof id, "resp_script_%u", r->speech->answer);
    writer_string(&r->writer, "id", id);
    writer_string(&r->writer, "object", "response");
    writer_string(&r->writer, "model", r->speech->model);
    if (is_over)
        write_outcome(r);
    else
        writer_string(&r->writer, "status", "in_progress");
}

static void stream_response(struct responses *r, const char *type, bool is_over)
{
    open_event(r, type);
    writer_open_object(&r->writer, "response");
    write_response(r, is_over);
    writer_close_object(&r->writer);
    close_event(r);
}

static void stream_step(struct responses *r, const struct script_step *step)
{
    const struct item_kind *kind = kind_of(step);
    if (kind) {
        stream_item(r, kind, step);
        count_item(r, step);
    } else if (step->kind == SCRIPT_RAW) {
        buf_append(&r->reply->body, step->text, step->length);
        reply_end_piece(r->reply, r->delay_ms);
        r->delay_ms = 0;
    } else {
        r->delay_ms += step->number;
    }
}

int speech_write_responses(const struct speech *speech, const struct asked *asked,
                           struct reply *reply, struct error *err)
{
    struct responses r = {.speech = speech, .reply = reply};
    if (!asked->is_streamed) {
        r.writer = writer_begin(&reply->body, false);
        writer_open_object(&r.writer, NULL);
        write_response(&r, true);
        writer_close_object(&r.writer);
        int result = writer_finish(&r.writer, err);
        reply_end_piece(reply, 0);
        return result;
    }
    stream_response(&r, "response.created", false);
    for (size_t i = 0; i < speech->count; i++)
        stream_step(&r, speech->steps[i]);
    stream_response(&r, is_incomplete(&r) ? "response.incomplete" : "response.completed", true);
    return 0;
}
