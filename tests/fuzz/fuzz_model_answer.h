/* fuzz_model_answer: what holds for each provider whatever its server sends. */
#pragma once

#include "agent/llm/reader.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "tests/agent/transcript.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/pieces.h"

static const struct llm_tool tools[] = {
    {"run_python", "",
     "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},"
     "\"required\":[\"code\"]}"},
    {"list_files", "", "{\"type\":\"object\",\"properties\":{}}"},
};

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

static inline void read_model_answer(const struct provider *provider, enum pieces pieces,
                                     const char *data, size_t size, struct transcript *transcript)
{
    struct tool_shapes shapes;
    struct assembly assembly;
    struct reader reader;
    struct error err;
    CHECK(tool_shapes_read(tools, sizeof tools / sizeof *tools, &shapes, &err) == 0);
    assembly_begin(&assembly, &shapes, 1, transcript_event, transcript);
    reader_begin(&reader, provider, &assembly);
    uint64_t seed = size;
    int result = 0;
    for (size_t at = 0, piece; result == 0 && at < size; at += piece) {
        piece = next_piece(pieces, size - at, &seed);
        result = reader_feed(&reader, data + at, piece, &err);
    }
    struct llm_answer answer = {0};
    if (result == 0 && reader_finish(&reader, &answer, &err) == 0) {
        check_answer(&answer);
        transcript_answer(transcript, &answer);
    } else {
        buf_printf(&transcript->text, "failed: %s\n", err.message);
    }
    CHECK(text_is_utf8(transcript->text.data, transcript->text.length));
    llm_answer_clear(&answer);
    reader_clear(&reader);
    assembly_clear(&assembly);
    tool_shapes_clear(&shapes);
}

/* The pieces in which the bytes come change nothing. */
static inline void check_model_answer(const struct provider *provider, const uint8_t *data,
                                      size_t size)
{
    struct transcript whole = {0};
    read_model_answer(provider, PIECES_ALL_AT_ONCE, (const char *)data, size, &whole);
    for (int pieces = 0; pieces < PIECES_ALL_AT_ONCE; pieces++) {
        struct transcript seen = {0};
        read_model_answer(provider, (enum pieces)pieces, (const char *)data, size, &seen);
        CHECK(seen.text.length == whole.text.length &&
              memcmp(seen.text.data, whole.text.data, seen.text.length) == 0);
        buf_free(&seen.text);
    }
    buf_free(&whole.text);
}
