/* fuzz_model_answer: what holds for each provider whatever its server sends. */
#pragma once

#include "agent/llm/assembly.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "tests/agent/model_answer.h"
#include "tests/fuzz/fuzz.h"

/* Calls that may be run have an object for arguments; the ids tell them apart. */
static inline void check_answer(const struct llm_answer *answer)
{
    const struct llm_message *message = &answer->message;
    CHECK(message->call_count <= ANSWER_CALLS_MAX);
    for (size_t i = 0; i < message->call_count; i++) {
        const struct llm_call *call = &message->calls[i];
        AUTO_JSON json_t *arguments = NULL;
        struct error err;
        CHECK(answer->finish == LLM_FINISH_CALLS || call->problem);
        if (!call->problem) {
            CHECK(json_parse(call->arguments, strlen(call->arguments), JSON_BYTES_MAX, &arguments,
                             &err) == 0);
            CHECK(json_is_object(arguments) && call->name[0]);
        }
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(call->id, message->calls[k].id) != 0);
    }
}

/* The pieces in which the bytes come change nothing. */
static inline void check_model_answer(struct model_answer_reading reading, const void *data,
                                      size_t size)
{
    struct transcript whole = {0};
    reading.check = check_answer;
    reading.pieces = PIECES_ALL_AT_ONCE;
    model_answer_read(&reading, data, size, &whole);
    CHECK(text_is_utf8(whole.text.data, whole.text.length));
    for (int pieces = 0; pieces < PIECES_ALL_AT_ONCE; pieces++) {
        struct transcript seen = {0};
        reading.pieces = (enum pieces)pieces;
        model_answer_read(&reading, data, size, &seen);
        CHECK(seen.text.length == whole.text.length &&
              memcmp(seen.text.data, whole.text.data, seen.text.length) == 0);
        buf_free(&seen.text);
    }
    buf_free(&whole.text);
}
