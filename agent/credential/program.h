/* program: runs a command line program for what it prints: without a shell, without our terminal,
 * from a directory that nobody else can write, with a deadline.
 */
#pragma once

#include "base/core/buf.h"
#include "base/core/loop.h"

enum { PROGRAM_OUTPUT_BYTES_MAX = 256 * 1024 };

/* Zeroed is nothing under way. Stays where it is until on_done or program_cancel. */
struct program {
    struct loop *loop;
    void *self;
    /* failure NULL: it ended with status 0. The output stays in `output` until the next start. */
    void (*on_done)(void *self, const struct error *failure);

    const char *name;
    int pid_fd;
    int output_fd, errors_fd;
    struct watch exit_watch, output_watch, errors_watch;
    struct timer deadline;
    struct buf output, errors;
    bool active, timed_out;
};

/* arguments[0] is searched for in PATH; the list ends with NULL. loop, self and on_done are set.
 * ERROR_MISSING: there is no such program. */
int program_start(struct program *program, const char *const *arguments, int64_t timeout_ms,
                  struct error *err);
/* Kills it; on_done is not called. Harmless when nothing is under way. */
void program_cancel(struct program *program);
/* Wipes and frees what it printed. */
void program_clear(struct program *program);
