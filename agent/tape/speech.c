#include "agent/tape/speech.h"

#include <string.h>

#include "base/json/writer.h"

enum { FRAGMENT_BYTES = 12 };

/* Longer by the bytes that a character would lose. */
static size_t whole_characters(const char *text, size_t length, size_t most)
{
    if (most >= length)
        return length;
    while (most < length && ((unsigned char)text[most] & 0xc0) == 0x80)
        most++;
    return most;
}

size_t speech_next_word(const char *text, size_t length)
{
    size_t at = 1;
    while (at < length && text[at] != ' ' && text[at] != '\n')
        at++;
    return at < length ? at : length;
}

size_t speech_next_fragment(const char *text, size_t length)
{
    return whole_characters(text, length, FRAGMENT_BYTES);
}

void speech_join(const struct speech *speech, enum script_kind kind, struct buf *out)
{
    for (size_t i = 0; i < speech->count; i++) {
        if (speech->steps[i]->kind == kind)
            buf_append(out, speech->steps[i]->text, speech->steps[i]->length);
    }
}

bool speech_has(const struct speech *speech, enum script_kind kind)
{
    for (size_t i = 0; i < speech->count; i++) {
        if (speech->steps[i]->kind == kind)
            return true;
    }
    return false;
}

const char *speech_finish(const struct speech *speech)
{
    if (speech->finish)
        return speech->finish;
    return speech_has(speech, SCRIPT_CALL) ? "tool_calls" : "stop";
}

/* Bytes as they are, and nothing of ours around them. */
static int write_raw(const struct speech *speech, struct reply *reply)
{
    int64_t delay_ms = 0;
    for (size_t i = 0; i < speech->count; i++) {
        const struct script_step *step = speech->steps[i];
        if (step->kind == SCRIPT_DELAY)
            delay_ms += step->number;
        if (step->kind != SCRIPT_RAW)
            continue;
        buf_append(&reply->body, step->text, step->length);
        reply_end_piece(reply, delay_ms);
        delay_ms = 0;
    }
    return 0;
}

int speech_write(const struct speech *speech, const struct asked *asked, struct reply *reply,
                 struct error *err)
{
    bool is_raw = speech_has(speech, SCRIPT_RAW) && !speech_has(speech, SCRIPT_SAY) &&
                  !speech_has(speech, SCRIPT_THINK) && !speech_has(speech, SCRIPT_CALL) &&
                  !speech->finish;
    reply->status = 200;
    reply_add_header(reply, "Content-Type",
                     asked->is_streamed ? "text/event-stream" : "application/json");
    if (is_raw)
        return write_raw(speech, reply);
    return asked->is_responses ? speech_write_responses(speech, asked, reply, err)
                               : speech_write_chat(speech, asked, reply, err);
}

static void write_string_or_null(struct writer *writer, const char *key, const char *text)
{
    if (text)
        writer_string(writer, key, text);
    else
        writer_null(writer, key);
}

void speech_write_error(struct reply *reply, unsigned status, const char *code, const char *param,
                        const char *message)
{
    struct writer writer = writer_begin(&reply->body, false);
    reply->status = status;
    reply_add_header(reply, "Content-Type", "application/json");
    writer_open_object(&writer, NULL);
    writer_open_object(&writer, "error");
    writer_string(&writer, "message", message ? message : "the script says so");
    writer_string(&writer, "type", status >= 500 ? "server_error" : "invalid_request_error");
    write_string_or_null(&writer, "param", param);
    write_string_or_null(&writer, "code", code);
    writer_close_object(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    reply_end_piece(reply, 0);
}
