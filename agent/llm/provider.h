/* provider: one wire to a model: writes the request's body, reads one message of the answer.
 *
 * A provider does no input or output. What it reads is hostile JSON that has been parsed within
 * limits; it checks the type of every member that it takes.
 */
#pragma once

#include <jansson.h>

#include "agent/llm/assembly.h"
#include "agent/llm/llm.h"
#include "base/json/writer.h"

/* Parts of a request that some models refuse. */
enum request_part {
    PART_TEMPERATURE = 1 << 0,
    PART_STOP = 1 << 1,
    PART_STREAM_OPTIONS = 1 << 2,
    PART_PARALLEL_CALLS = 1 << 3, /* parallel_tool_calls */
    PART_TOOL_CHOICE = 1 << 4,
    PART_STRICT = 1 << 5,     /* of a tool */
    PART_MAX_TOKENS = 1 << 6, /* max_completion_tokens takes its place */
    PART_SYSTEM = 1 << 7,     /* the role: its text is sent as a user's */

    PART_STORE = 1 << 8, /* MODEL_RESPONSES */
};

struct request_options {
    const char *model;
    const char *stop;          /* NULL: none */
    int64_t answer_tokens_max; /* 0: none */
    unsigned without;          /* request_part, or-ed */
};

enum provider_progress {
    PROVIDER_MORE,
    PROVIDER_ENDED,  /* the wire's own end mark */
    PROVIDER_FAILED, /* *err is set: the answer cannot be used */
};

struct provider {
    int (*write_request)(const struct request_options *options, const struct llm_request *request,
                         const struct tool_shapes *shapes, struct buf *out, struct error *err);
    /* One event of a stream, or a whole answer. An error in it has been looked for before. */
    enum provider_progress (*read)(struct assembly *assembly, json_t *root, struct error *err);
};

extern const struct provider provider_chat;      /* chat.c */
extern const struct provider provider_responses; /* responses.c */

/* ---- shared by the providers ---- */

/* The member's string, NULL where it is something else. */
const char *provider_text(json_t *object, const char *key, size_t *ret_length);
/* A count, or -1. */
int64_t provider_count(json_t *object, const char *key);
/* The call's arguments as a service accepts them back: always a JSON object. */
void provider_write_arguments(const struct llm_call *call, struct buf *out);
/* The name as a service accepts it back. */
enum { PROVIDER_NAME_MAX = 65 };
void provider_write_name(const char *name, char ret_name[PROVIDER_NAME_MAX]);

/* False when the tools must not be told: there are none, or calls can be kept away in no other way
 * (without the word for "none"). */
bool provider_tells_tools(const struct request_options *options, const struct llm_request *request);
/* The members that both wires have: of one tool, and about the choice among the tools told. */
void provider_write_tool(struct writer *writer, const struct llm_tool *tool);
void provider_write_choice(struct writer *writer, const struct request_options *options,
                           const struct llm_request *request);
