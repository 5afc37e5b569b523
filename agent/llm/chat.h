/* chat: chat completions, as Azure OpenAI and every compatible server have them. */
#pragma once

#include "agent/llm/provider.h"

int chat_write_request(const struct request_options *options, const struct llm_request *request,
                       const struct tool_shapes *shapes, struct buf *out, struct error *err);
