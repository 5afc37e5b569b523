/* reader: the bytes of a model's answer, in any pieces, to events and one answer.
 *
 * Sees by the first byte whether the server streams or, though it was asked to, does not. Bounded.
 * Fuzzed with each provider.
 */
#pragma once

#include "agent/llm/provider.h"
#include "agent/llm/refusal.h"
#include "base/http/sse_reader.h"

enum {
    READER_EVENT_BYTES_MAX = 8 * 1024 * 1024,  /* the last of MODEL_RESPONSES holds the answer */
    READER_WHOLE_BYTES_MAX = 16 * 1024 * 1024, /* an answer that is not streamed */
};

enum reader_form { READER_UNDECIDED, READER_STREAM, READER_WHOLE };

/* Embedded. */
struct reader {
    const struct provider *provider;
    struct assembly *assembly; /* borrowed */
    enum reader_form form;
    struct sse_reader sse;
    struct buf whole;
    bool ended;      /* an end mark has come; the rest is not looked at */
    bool is_refused; /* the answer is an error: see `refusal` */
    bool at_end;     /* of the bytes: what is left may be half an event */
    struct refusal refusal;
};

void reader_begin(struct reader *reader, const struct provider *provider,
                  struct assembly *assembly);
void reader_clear(struct reader *reader);

/* -1: is_refused, or ERROR_INVALID, ERROR_LIMIT: what came breaks the format or a limit. */
int reader_feed(struct reader *reader, const char *data, size_t length, struct error *err);
/* The bytes are over, in order or not. -1 as above, and ERROR_SYSTEM when the answer has not
 * ended: the stream was cut. */
int reader_finish(struct reader *reader, struct llm_answer *ret_answer, struct error *err);
