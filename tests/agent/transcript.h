/* transcript: the events of a model's answer and the answer itself as text, one thing a line. */
#pragma once

#include "agent/llm/llm.h"
#include "base/core/buf.h"

/* Pieces that follow each other are joined, since their borders mean nothing. */
struct transcript {
    struct buf text;
    enum llm_event_kind last_kind;
    unsigned last_call;
};
void transcript_event(void *self, const struct llm_event *event);
void transcript_answer(struct transcript *transcript, const struct llm_answer *answer);
