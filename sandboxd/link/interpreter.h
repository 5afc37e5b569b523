/* interpreter: the front's end of one session's interpreter. Runs executions in it, one at a time.
 *
 * The peer is hostile: after the first cell, guest code lives in its process. Its channel carries
 * no descriptors, each frame of an execution must carry the execution's nonce, output and results
 * are bounded while they are read, and whatever breaks the protocol ends the interpreter.
 * docs/api.md, "Execution semantics".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/buf.h"
#include "base/core/loop.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/link/capture.h"
#include "sandboxd/link/refusals.h"
#include "sandboxd/payload/payload.h"
#include "sandboxd/pool/pool.h"

enum {
    /* Between the interrupt at the deadline and the kill (docs/api.md, "Limits"). */
    INTERPRETER_GRACE_MS = 2000,
    /* Value of the last expression, or PNG of a figure (docs/api.md, "Limits"). */
    RESULT_BYTES_LIMIT = 10 * 1024 * 1024,
    /* Read from a pipe at most this much after the end of an execution: the largest pipe of the
     * kernel's default for users, pipe(7). */
    PIPE_DRAIN_BYTES_MAX = 1024 * 1024,
    /* A few words on how a process ended. */
    INTERPRETER_ENDING_MAX = 128,
};

enum run_outcome {
    RUN_FINISHED,  /* `done` is filled */
    RUN_TIMED_OUT, /* interrupted or killed at its deadline */
    RUN_CANCELED,  /* interrupted or killed by interpreter_cancel */
    RUN_ABORTED,   /* the interpreter died; `ending` says how */
};

/* One execution. The caller fills the first part and keeps it alive until on_finished. */
struct run {
    const char *code; /* borrowed */
    size_t code_length;
    bool is_command; /* code is the words of a program, each followed by a NUL; the result is its
                        exit code as text */
    struct pool_egress egress; /* with it, hosts that the session reaches for are no refusals */
    int64_t timeout_ms;
    size_t stream_bytes_max; /* kept of stdout and stderr each; 0: CAPTURE_BYTES_MAX */
    void (*on_finished)(void *self, struct run *run);
    void (*on_output)(void *self, struct run *run); /* output or errors have grown; may be NULL */
    void *self;

    /* output and errors grow while it runs; the rest is filled when on_finished is called; release
     * with run_clear */
    enum run_outcome outcome;
    struct done_message done;
    char ending[256]; /* RUN_ABORTED: sentences for people, or "" when memory ran out */
    struct capture output;
    struct capture errors;
    struct buf result;     /* text or PNG, as done.display says; cut at RESULT_BYTES_LIMIT */
    uint64_t result_total; /* bytes that the interpreter sent */
    struct refusals refusals;
    int64_t started_us;
    int64_t answered_us; /* when the end of the execution was known */

    /* private */
    uint64_t nonce;
    size_t sent;
    bool sent_all;
    bool told_refusals;
    enum frame_type result_type;
};
void run_clear(struct run *run);

/* What an interpreter asks of its session. */
struct interpreter_events {
    void (*on_idle)(void *self); /* it waits for code now */
    void (*interrupt)(void *self);
    void (*kill)(void *self); /* interpreter_on_gone follows */
    /* A run is about to end: interpreter_on_denied is called for what was refused until now. */
    void (*catch_up)(void *self);
    void *self;
};

enum interpreter_state {
    INTERPRETER_NONE,     /* no descriptors */
    INTERPRETER_GREETING, /* FRAME_READY is awaited */
    INTERPRETER_PINGED,   /* FRAME_PONG is awaited */
    INTERPRETER_IDLE,
    INTERPRETER_RUNNING,
    INTERPRETER_SETTLING, /* the run is over, the answer to the interrupt is not there yet */
    INTERPRETER_DYING,    /* killed; waits to be told that it has gone */
};

struct interpreter {
    struct loop *loop;
    struct interpreter_events events;
    enum interpreter_state state;
    int channel_fd;
    int stream_fds[2]; /* stdout, stderr */
    struct watch channel_watch;
    struct watch stream_watches[2];
    struct timer stream_timer; /* when they begin */
    struct timer deadline;
    struct run *run;
    uint64_t ping_nonce;
    bool interrupted; /* the run's deadline has passed, or it was canceled */
    bool canceled;
    bool signal_pending; /* the broker has not answered the interrupt yet */
    bool broke_protocol;
};

void interpreter_create(struct interpreter *interpreter, struct loop *loop,
                        const struct interpreter_events *events);
/* Closes its descriptors. A run that is under way is not finished: call interpreter_on_gone first.
 */
void interpreter_close(struct interpreter *interpreter);

/* Descriptors are taken. ping_timeout_ms < 0: a fresh interpreter, which greets by itself;
 * otherwise one that an earlier front knew, which gets that long to become idle. */
int interpreter_attach(struct interpreter *interpreter, int channel_fd, int stdout_fd,
                       int stderr_fd, int64_t ping_timeout_ms, struct error *err);

/* Only when idle. */
void interpreter_start_run(struct interpreter *interpreter, struct run *run);

/* Interrupts this run if it is under way, and kills the interpreter after the grace; on_finished
 * follows. */
void interpreter_cancel(struct interpreter *interpreter, const struct run *run);

/* The broker's answers. */
void interpreter_on_signalled(struct interpreter *interpreter);
void interpreter_on_denied(struct interpreter *interpreter, const struct denied_message *denied);
/* gone is NULL when the whole session has ended. */
void interpreter_on_gone(struct interpreter *interpreter, const struct gone_message *gone);

/* A few words on how a process ended: "it ended with exit status 3". */
void interpreter_describe_ending(const struct gone_message *gone, char *ret_text, size_t capacity);
