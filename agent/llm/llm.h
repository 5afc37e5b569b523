/* llm: what is said to a model and what it answers, whatever wire carries it.
 *
 * Messages, tools and events have one form here. A provider turns a request into the body of one
 * HTTP request and the bytes of the answer into events; it does no input or output of its own. What
 * a model or its server sends is hostile: every provider bounds it and reads it with one parser.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/error.h"

/* ---- what is said ---- */

enum llm_role { LLM_SYSTEM, LLM_USER, LLM_ASSISTANT, LLM_TOOL };

/* A tool call that a model has made. */
struct llm_call {
    char *id;        /* what its answer refers to; made up where the server gave none */
    char *name;      /* of the tool */
    char *arguments; /* without a problem: a JSON object, repaired where that was safe; else as the
                        model wrote it */
    char *problem; /* not NULL: the call must not be run. It was cut off, cannot be read, or breaks
                      the protocol's form; the text tells the model and is the call's answer. */
};

/* Every text is UTF-8, owned by the message. Free with llm_message_clear. */
struct llm_message {
    enum llm_role role;
    char *text;             /* NULL: none */
    struct llm_call *calls; /* LLM_ASSISTANT */
    size_t call_count;
    char *call_id; /* LLM_TOOL: the call that it answers. Every call has exactly one answer before
                      the next message of another role, or the service refuses the request. */
};
void llm_message_clear(struct llm_message *message);
/* The copy is returned. */
struct llm_message llm_message_copy(const struct llm_message *message);

struct llm_tool {
    const char *name;
    const char *description;
    const char *parameters; /* JSON schema of an object, as text */
};

/* All borrowed. */
struct llm_request {
    const struct llm_message *messages;
    size_t message_count;
    const struct llm_tool *tools;
    size_t tool_count;
    bool answer_only;      /* the tools are known but may not be called now */
    const char *file_path; /* the last uploaded file, for text protocols whose template names it;
                              NULL: none */
};

/* ---- what comes back ---- */

enum llm_finish {
    LLM_FINISH_NONE, /* the stream was cut */
    LLM_FINISH_STOP,
    LLM_FINISH_CALLS,  /* it has called tools, whatever the server named the reason */
    LLM_FINISH_LENGTH, /* cut at a limit of tokens: each call in it has a problem */
    LLM_FINISH_FILTER, /* by the service's content filter */
};

/* -1: not told. */
struct llm_usage {
    int64_t input_tokens;
    int64_t cached_tokens; /* of the input */
    int64_t output_tokens;
    int64_t reasoning_tokens; /* of the output */
};

enum llm_event_kind {
    LLM_EVENT_TEXT,           /* a piece of the answer */
    LLM_EVENT_REASONING,      /* a piece of what it thinks: shown, never sent back */
    LLM_EVENT_CALL_START,     /* text: the tool's name, complete */
    LLM_EVENT_CALL_ARGUMENTS, /* a piece of the call's arguments, as the model writes them */
    LLM_EVENT_CALL_END,
    LLM_EVENT_USAGE,
    LLM_EVENT_FINISH,
    LLM_EVENT_NOTICE,  /* for a person: a retry, a parameter left out, another protocol */
    LLM_EVENT_RESTART, /* the answer begins again: what its events have shown so far is void */
};

struct llm_event {
    enum llm_event_kind kind;
    const char *text; /* not kept, not NUL-terminated; UTF-8 in whole characters */
    size_t length;
    unsigned call; /* CALL_*: which call of this answer, from 0 */
    struct llm_usage usage;
    enum llm_finish finish;
};

/* One answer as a whole. Free with llm_answer_clear. */
struct llm_answer {
    struct llm_message message; /* LLM_ASSISTANT, ready to be sent back */
    char *reasoning;            /* NULL: none */
    enum llm_finish finish;
    struct llm_usage usage;
};
void llm_answer_clear(struct llm_answer *answer);
