/* request_copy: a request that outlives its owner's, for asking again. */
#pragma once

#include "agent/llm/llm.h"

struct request_copy {
    struct llm_request request;
    struct llm_message *messages;
    struct llm_tool *tools;
};
void request_copy_take(struct request_copy *copy, const struct llm_request *request);
void request_copy_clear(struct request_copy *copy);
