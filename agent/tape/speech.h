/* speech: the steps of one answer as the bytes of a model server's reply.
 *
 * Chat completions and the Responses API, streamed or whole. Text is cut at words and arguments
 * every few characters, as models send them, always at the same places.
 */
#pragma once

#include "agent/tape/asked.h"
#include "agent/tape/reply.h"
#include "agent/tape/script.h"

struct speech {
    const struct script_step *const *steps; /* SAY, THINK, CALL, RAW, DELAY */
    size_t count;
    const char *model;
    const char *finish;  /* NULL: what fits */
    unsigned answer;     /* its number, from 1: part of its id */
    unsigned first_call; /* number of its first call, from 1 */
    int64_t input_tokens;
    int64_t output_tokens;
};

/* Fills status, headers and body. Only ERROR_LIMIT. */
int speech_write(const struct speech *speech, const struct asked *asked, struct reply *reply,
                 struct error *err);

/* An error as model servers word it. Any text may be NULL. */
void speech_write_error(struct reply *reply, unsigned status, const char *code, const char *param,
                        const char *message);

/* ---- for the two wires ---- */

int speech_write_chat(const struct speech *speech, const struct asked *asked, struct reply *reply,
                      struct error *err);
int speech_write_responses(const struct speech *speech, const struct asked *asked,
                           struct reply *reply, struct error *err);
/* Length of the next piece of a text, or of a call's arguments. */
size_t speech_next_word(const char *text, size_t length);
size_t speech_next_fragment(const char *text, size_t length);
/* Everything of one kind in one string. */
void speech_join(const struct speech *speech, enum script_kind kind, struct buf *out);
bool speech_has(const struct speech *speech, enum script_kind kind);
const char *speech_finish(const struct speech *speech);
