#include "tests/agent/transcript.h"

#include <stdio.h>

static const char *const names[] = {
    [LLM_EVENT_TEXT] = "text",       [LLM_EVENT_REASONING] = "reasoning",
    [LLM_EVENT_CALL_START] = "call", [LLM_EVENT_CALL_ARGUMENTS] = "arguments",
    [LLM_EVENT_CALL_END] = "end",    [LLM_EVENT_USAGE] = "usage",
    [LLM_EVENT_FINISH] = "finish",   [LLM_EVENT_NOTICE] = "notice",
    [LLM_EVENT_RESTART] = "restart",
};
static const char *const finishes[] = {
    [LLM_FINISH_NONE] = "none",     [LLM_FINISH_STOP] = "stop",     [LLM_FINISH_CALLS] = "calls",
    [LLM_FINISH_LENGTH] = "length", [LLM_FINISH_FILTER] = "filter",
};

static bool goes_on(const struct transcript *transcript, const struct llm_event *event)
{
    bool is_piece = event->kind == LLM_EVENT_TEXT || event->kind == LLM_EVENT_REASONING ||
                    event->kind == LLM_EVENT_CALL_ARGUMENTS;
    return is_piece && transcript->text.length > 0 && event->kind == transcript->last_kind &&
           event->call == transcript->last_call;
}

void transcript_event(void *self, const struct llm_event *event)
{
    struct transcript *transcript = self;
    struct buf *out = &transcript->text;
    if (goes_on(transcript, event)) {
        out->length--; /* the line end */
    } else {
        buf_printf(out, "%s", names[event->kind]);
        if (event->kind >= LLM_EVENT_CALL_START && event->kind <= LLM_EVENT_CALL_END)
            buf_printf(out, " %u", event->call);
        if (event->length > 0)
            buf_append_text(out, ": ");
    }
    if (event->length > 0)
        buf_append(out, event->text, event->length);
    if (event->kind == LLM_EVENT_USAGE)
        buf_printf(out, " %lld %lld %lld %lld", (long long)event->usage.input_tokens,
                   (long long)event->usage.cached_tokens, (long long)event->usage.output_tokens,
                   (long long)event->usage.reasoning_tokens);
    if (event->kind == LLM_EVENT_FINISH)
        buf_printf(out, " %s", finishes[event->finish]);
    buf_append_text(out, "\n");
    transcript->last_kind = event->kind;
    transcript->last_call = event->call;
}

void transcript_answer(struct transcript *transcript, const struct llm_answer *answer)
{
    struct buf *out = &transcript->text;
    if (answer->message.text)
        buf_printf(out, "> %s\n", answer->message.text);
    for (size_t i = 0; i < answer->message.call_count; i++) {
        const struct llm_call *call = &answer->message.calls[i];
        buf_printf(out, "> %s %s %s%s%.40s\n", call->id, call->name, call->arguments,
                   call->problem ? " !" : "", call->problem ? call->problem : "");
    }
}
