/* turn: one task of the user's, from its words to the answer.
 *
 * The model is asked, its calls are run in the session one after the other, and it is asked again
 * with what came out, until it answers or the guard ends it. Asynchronous on the loop; screens
 * (a command line, a page) see events and decide nothing.
 */
#pragma once

#include "agent/llm/model.h"
#include "agent/turn/conversation.h"
#include "agent/turn/guard.h"
#include "agent/turn/inventory.h"
#include "agent/turn/session.h"
#include "agent/turn/tool.h"

struct turn;

/* Borrowed until on_done. */
struct turn_options {
    struct loop *loop;
    struct model *model;
    struct session *session;
    struct conversation *conversation;
    struct tool_set *tools;
    struct guard_limits limits;
    int64_t program_timeout_s;
    bool network_is_open;
    unsigned *figure_count; /* counts on, over the turns of a conversation */
};

enum turn_event_kind {
    TURN_MODEL,        /* what the model streams: `model` */
    TURN_STEP_STARTED, /* a call is run: `step`, `tool`, `text` is its code, command or path */
    TURN_STEP_DONE,    /* `step`, `execution` where a program ran; `text` is what the model reads */
    TURN_IMAGE,        /* a program's figure: `text` is its name, `data` the PNG */
    TURN_FILE,         /* a file that was made in this turn: `file` */
    TURN_NOTICE,       /* `text`, a sentence for a person */
};

/* All borrowed for the call. Everything in it but a notice may be hostile. */
struct turn_event {
    enum turn_event_kind kind;
    const struct llm_event *model;
    unsigned step; /* from 1 */
    enum tool_kind tool;
    const char *text;
    const char *data;
    size_t length;
    const struct wire_execution *execution;
    bool failed; /* STEP_DONE: the program, or the call */
    const struct inventory_file *file;
};

enum turn_status {
    TURN_ANSWERED,
    TURN_MODEL_FAILED,
    TURN_SESSION_FAILED,
    TURN_STOPPED, /* by the guard */
    TURN_CANCELLED,
};

struct turn_outcome {
    enum turn_status status;
    const char *answer;   /* what the model said last; "" when it did not answer */
    struct error failure; /* MODEL_FAILED, SESSION_FAILED, STOPPED: why, with what to do */
    enum model_failure_kind model_failure; /* MODEL_FAILED */
    const struct guard *counts;
    struct llm_usage usage; /* of all calls; -1: not told by any */
};

struct turn_handler {
    void *self;
    void (*on_event)(void *self, const struct turn_event *event);
    /* The turn has ended and is gone afterwards. Never from inside turn_start. */
    void (*on_done)(void *self, const struct turn_outcome *outcome);
};

/* files: descriptions of files that are new, as prompt_describe_file writes them; "": none. */
struct turn *turn_start(const struct turn_options *options, const char *text, const char *files,
                        const struct turn_handler *handler);
/* on_done comes soon, with TURN_CANCELLED. Not from inside on_event. */
void turn_cancel(struct turn *turn);
