/* Chat completions, as OpenAI, Azure and the servers that speak like them send them. */
#include <stdio.h>
#include <string.h>

#include "agent/tape/speech.h"
#include "base/json/writer.h"

struct chat {
    const struct speech *speech;
    struct reply *reply;
    struct writer writer;
    int64_t delay_ms; /* before the next event */
    unsigned calls;   /* so far, in this answer */
};

static void open_document(struct chat *chat, const char *object)
{
    char id[48];
    snprintf(id, sizeof id, "chatcmpl-script-%u", chat->speech->answer);
    chat->writer = writer_begin(&chat->reply->body, false);
    writer_open_object(&chat->writer, NULL);
    writer_string(&chat->writer, "id", id);
    writer_string(&chat->writer, "object", object);
    writer_integer(&chat->writer, "created", 0);
    writer_string(&chat->writer, "model", chat->speech->model);
}

static void open_chunk(struct chat *chat)
{
    buf_append_text(&chat->reply->body, "data: ");
    open_document(chat, "chat.completion.chunk");
    writer_open_array(&chat->writer, "choices");
}

static void close_chunk(struct chat *chat)
{
    writer_close_object(&chat->writer);
    writer_finish(&chat->writer, NULL);
    buf_append_text(&chat->reply->body, "\n\n");
    reply_end_piece(chat->reply, chat->delay_ms);
    chat->delay_ms = 0;
}

static void open_delta(struct chat *chat)
{
    open_chunk(chat);
    writer_open_object(&chat->writer, NULL);
    writer_integer(&chat->writer, "index", 0);
    writer_open_object(&chat->writer, "delta");
}

static void close_delta(struct chat *chat, const char *finish)
{
    writer_close_object(&chat->writer);
    if (finish)
        writer_string(&chat->writer, "finish_reason", finish);
    else
        writer_null(&chat->writer, "finish_reason");
    writer_close_object(&chat->writer);
    writer_close_array(&chat->writer);
    close_chunk(chat);
}

static void write_usage(struct chat *chat)
{
    const struct speech *speech = chat->speech;
    writer_open_object(&chat->writer, "usage");
    writer_integer(&chat->writer, "prompt_tokens", speech->input_tokens);
    writer_integer(&chat->writer, "completion_tokens", speech->output_tokens);
    writer_integer(&chat->writer, "total_tokens", speech->input_tokens + speech->output_tokens);
    writer_close_object(&chat->writer);
}

static void stream_text(struct chat *chat, const struct script_step *step, const char *key)
{
    for (size_t at = 0, length; at < step->length; at += length) {
        length = speech_next_word(step->text + at, step->length - at);
        open_delta(chat);
        writer_text(&chat->writer, key, step->text + at, length);
        close_delta(chat, NULL);
    }
}

static void write_call_id(struct chat *chat)
{
    char id[32];
    snprintf(id, sizeof id, "call_%u", chat->speech->first_call + chat->calls);
    writer_string(&chat->writer, "id", id);
    writer_string(&chat->writer, "type", "function");
}

static void stream_fragment(struct chat *chat, const char *name, const char *arguments,
                            size_t length)
{
    open_delta(chat);
    writer_open_array(&chat->writer, "tool_calls");
    writer_open_object(&chat->writer, NULL);
    writer_integer(&chat->writer, "index", chat->calls);
    if (name)
        write_call_id(chat);
    writer_open_object(&chat->writer, "function");
    if (name)
        writer_string(&chat->writer, "name", name);
    writer_text(&chat->writer, "arguments", arguments, length);
    writer_close_object(&chat->writer);
    writer_close_object(&chat->writer);
    writer_close_array(&chat->writer);
    close_delta(chat, NULL);
}

static void stream_call(struct chat *chat, const struct script_step *step)
{
    stream_fragment(chat, step->name, "", 0);
    for (size_t at = 0, length; at < step->length; at += length) {
        length = speech_next_fragment(step->text + at, step->length - at);
        stream_fragment(chat, NULL, step->text + at, length);
    }
    chat->calls++;
}

static void stream_step(struct chat *chat, const struct script_step *step)
{
    switch (step->kind) {
    case SCRIPT_SAY:
        stream_text(chat, step, "content");
        break;
    case SCRIPT_THINK:
        stream_text(chat, step, "reasoning_content");
        break;
    case SCRIPT_CALL:
        stream_call(chat, step);
        break;
    case SCRIPT_RAW:
        buf_append(&chat->reply->body, step->text, step->length);
        reply_end_piece(chat->reply, chat->delay_ms);
        chat->delay_ms = 0;
        break;
    default: /* SCRIPT_DELAY */
        chat->delay_ms += step->number;
        break;
    }
}

static void write_stream(struct chat *chat, bool wants_usage)
{
    open_delta(chat);
    writer_string(&chat->writer, "role", "assistant");
    writer_string(&chat->writer, "content", "");
    close_delta(chat, NULL);
    for (size_t i = 0; i < chat->speech->count; i++)
        stream_step(chat, chat->speech->steps[i]);
    open_delta(chat);
    close_delta(chat, speech_finish(chat->speech));
    if (wants_usage) {
        open_chunk(chat);
        writer_close_array(&chat->writer);
        write_usage(chat);
        close_chunk(chat);
    }
    buf_append_text(&chat->reply->body, "data: [DONE]\n\n");
    reply_end_piece(chat->reply, 0);
}

/* ---- the whole answer in one document ---- */

static void write_joined(struct chat *chat, enum script_kind kind, const char *key)
{
    AUTO_BUF struct buf text = {0};
    speech_join(chat->speech, kind, &text);
    if (text.length > 0)
        writer_text(&chat->writer, key, text.data, text.length);
    else if (kind == SCRIPT_SAY)
        writer_null(&chat->writer, key);
}

static void write_calls(struct chat *chat)
{
    if (!speech_has(chat->speech, SCRIPT_CALL))
        return;
    writer_open_array(&chat->writer, "tool_calls");
    for (size_t i = 0; i < chat->speech->count; i++) {
        const struct script_step *step = chat->speech->steps[i];
        if (step->kind != SCRIPT_CALL)
            continue;
        writer_open_object(&chat->writer, NULL);
        write_call_id(chat);
        writer_open_object(&chat->writer, "function");
        writer_string(&chat->writer, "name", step->name);
        writer_text(&chat->writer, "arguments", step->text, step->length);
        writer_close_object(&chat->writer);
        writer_close_object(&chat->writer);
        chat->calls++;
    }
    writer_close_array(&chat->writer);
}

static void write_whole(struct chat *chat)
{
    open_document(chat, "chat.completion");
    writer_open_array(&chat->writer, "choices");
    writer_open_object(&chat->writer, NULL);
    writer_integer(&chat->writer, "index", 0);
    writer_open_object(&chat->writer, "message");
    writer_string(&chat->writer, "role", "assistant");
    write_joined(chat, SCRIPT_SAY, "content");
    write_joined(chat, SCRIPT_THINK, "reasoning_content");
    write_calls(chat);
    writer_close_object(&chat->writer);
    writer_string(&chat->writer, "finish_reason", speech_finish(chat->speech));
    writer_close_object(&chat->writer);
    writer_close_array(&chat->writer);
    write_usage(chat);
    writer_close_object(&chat->writer);
    writer_finish(&chat->writer, NULL);
    reply_end_piece(chat->reply, 0);
}

int speech_write_chat(const struct speech *speech, const struct asked *asked, struct reply *reply,
                      struct error *err)
{
    (void)err;
    struct chat chat = {.speech = speech, .reply = reply};
    if (asked->is_streamed)
        write_stream(&chat, asked->wants_usage);
    else
        write_whole(&chat);
    return 0;
}
