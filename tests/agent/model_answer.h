/* model_answer: reads a model's answer in one of the chunkings into a transcript. */
#pragma once

#include "agent/llm/provider.h"
#include "tests/agent/transcript.h"
#include "tests/support/pieces.h"

/* run_python(code) and list_files(directory). */
extern const struct llm_tool model_answer_tools[2];

/* The transcript ends with the answer, or with "refused: " or "failed: " and why. text_protocol:
 * through the ReAct parser; answer_only: of the request. */
struct model_answer_reading {
    const struct provider *provider;
    enum pieces pieces;
    bool text_protocol;
    bool answer_only;
    void (*check)(const struct llm_answer *answer); /* NULL: none */
};
void model_answer_read(const struct model_answer_reading *reading, const char *bytes, size_t length,
                       struct transcript *transcript);
