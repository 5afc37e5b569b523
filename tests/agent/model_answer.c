#include "tests/agent/model_answer.h"

#include <stdlib.h>
#include <string.h>

#include "agent/llm/react.h"
#include "agent/llm/reader.h"

const struct llm_tool model_answer_tools[2] = {
    {"run_python", "Runs Python.",
     "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},\"required\":[\"code\"],"
     "\"additionalProperties\":false}"},
    {"list_files", "Lists files.",
     "{\"type\":\"object\",\"properties\":{\"directory\":{\"type\":\"string\"}}}"},
};

static int feed_pieces(struct reader *reader, enum pieces pieces, const char *bytes, size_t length,
                       struct error *err)
{
    uint64_t seed = 11;
    int result = 0;
    for (size_t at = 0, piece; result == 0 && at < length; at += piece) {
        piece = next_piece(pieces, length - at, &seed);
        char *copy = malloc(piece); /* a sanitizer sees a read behind its end */
        if (!copy)
            abort();
        memcpy(copy, bytes + at, piece);
        result = reader_feed(reader, copy, piece, err);
        free(copy);
    }
    return result;
}

void model_answer_read(const struct model_answer_reading *reading, const char *bytes, size_t length,
                       struct transcript *transcript)
{
    struct tool_shapes shapes = {0};
    struct assembly assembly;
    struct reader reader;
    struct react_parser react;
    struct llm_answer answer = {0};
    struct error err = {0};
    if (tool_shapes_read(model_answer_tools, 2, &shapes, &err) < 0)
        abort();
    assembly_begin(&assembly, &shapes, 3, transcript_event, transcript);
    react_parser_begin(&react, &shapes, reading->answer_only);
    if (reading->text_protocol)
        assembly.filter = react_parser_filter(&react);
    reader_begin(&reader, reading->provider, &assembly);

    if (feed_pieces(&reader, reading->pieces, bytes, length, &err) == 0 &&
        reader_finish(&reader, &answer, &err) == 0) {
        if (reading->check)
            reading->check(&answer);
        transcript_answer(transcript, &answer);
    } else {
        buf_printf(&transcript->text, "%s: %s\n", reader.is_refused ? "refused" : "failed",
                   err.message);
    }
    llm_answer_clear(&answer);
    reader_clear(&reader);
    react_parser_clear(&react);
    assembly_clear(&assembly);
    tool_shapes_clear(&shapes);
}
