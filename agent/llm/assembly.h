/* assembly: from the fragments that a provider reads to events and one whole answer.
 *
 * Bounded whatever the server sends. A call's fragments find their call by index, id or position;
 * its name is told when it is complete; its arguments are read when the answer ends.
 */
#pragma once

#include "agent/llm/arguments.h"
#include "agent/llm/llm.h"

enum {
    ANSWER_TEXT_BYTES_MAX = 8 * 1024 * 1024,    /* our limit, far above any model's */
    ANSWER_CALLS_MAX = 64,                      /* our limit */
    CALL_ARGUMENTS_BYTES_MAX = 4 * 1024 * 1024, /* our limit */
    CALL_NAME_BYTES_MAX = 256,                  /* services accept 64 */
    CALL_ID_BYTES_MAX = 256,                    /* services' own have 24 to 64 */
};

struct assembly;

/* A text protocol between the provider's text and the answer's. */
struct assembly_filter {
    void *self; /* NULL: none */
    int (*on_text)(void *self, struct assembly *assembly, const char *text, size_t length,
                   struct error *err);
    /* The last piece has come; the finish is not told yet. */
    int (*on_end)(void *self, struct assembly *assembly, struct error *err);
};

struct assembly_call {
    int64_t index; /* -1: the server gave none */
    size_t position;
    bool started; /* CALL_START has been told */
    struct buf id, name, arguments;
    char *problem;
};

/* Embedded. */
struct assembly {
    void *self;
    void (*on_event)(void *self, const struct llm_event *event);
    const struct tool_shapes *shapes; /* borrowed */
    size_t request_messages;          /* makes ids that no other answer of the conversation has */
    struct assembly_filter filter;

    struct buf text, reasoning;
    struct assembly_call *calls;
    size_t call_count;
    struct llm_usage usage;
    bool has_usage;
    bool has_finish;
    enum llm_finish finish; /* as the server named it */
};

void assembly_begin(struct assembly *assembly, const struct tool_shapes *shapes,
                    size_t request_messages,
                    void (*on_event)(void *self, const struct llm_event *event), void *self);
void assembly_clear(struct assembly *assembly);

/* Appends with U+FFFD in place of NULs: all text is kept in C strings. False at out's limit. */
bool assembly_append(struct buf *out, const char *text, size_t length);

/* All of these: ERROR_LIMIT when one of the limits above is passed. */

/* A piece of the answer as the server sent it; goes through the filter. */
int assembly_text(struct assembly *assembly, const char *text, size_t length, struct error *err);
/* A piece of the answer for people; past the filter. */
int assembly_answer(struct assembly *assembly, const char *text, size_t length, struct error *err);
int assembly_reasoning(struct assembly *assembly, const char *text, size_t length,
                       struct error *err);

struct call_fragment {
    int64_t index;    /* -1: none */
    size_t position;  /* in the chunk's list */
    const char *id;   /* NULL or "": none; the same for the other two */
    const char *name; /* perhaps a piece of it */
    const char *arguments;
    size_t arguments_length;
};
int assembly_call_fragment(struct assembly *assembly, const struct call_fragment *fragment,
                           struct error *err);
/* A whole call of a text protocol: its arguments are read already, or it has a problem. */
int assembly_whole_call(struct assembly *assembly, const char *name, const char *arguments,
                        const char *problem, struct error *err);

/* -1 members are left as they were. */
void assembly_usage(struct assembly *assembly, const struct llm_usage *usage);
void assembly_finish(struct assembly *assembly, enum llm_finish finish);

/* The stream has ended in order: tells the last events and builds the answer. */
int assembly_end(struct assembly *assembly, struct llm_answer *ret_answer, struct error *err);
