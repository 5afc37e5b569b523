/* terminal: hostile bytes made safe to show.
 *
 * What a program in a session prints, what its files are called and what a service writes into an
 * error may hold escape sequences that move the cursor, change the clipboard or reverse the reading
 * direction. A terminal gets such bytes spelled out; a pipe or a file gets them as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/core/buf.h"
#include "base/core/error.h"

enum terminal_escape {
    TERMINAL_TEXT, /* newline and tab stay */
    TERMINAL_LINE, /* for one line of a message or table: newline and tab are spelled out too */
    TERMINAL_NAME, /* for a file name: as LINE, and a backslash is doubled, so that nothing is
                      ambiguous */
};

/* Appends data to out with control characters, bidirectional and invisible formatting characters
 * and ill-formed UTF-8 spelled out ("\x1b", "\u202e"). Returns how many bytes were used: all but a
 * sequence that data ends in the middle of, unless `last` says that nothing more comes. out's limit
 * must be 0. */
size_t terminal_escape(struct buf *out, const char *data, size_t length, enum terminal_escape form,
                       bool last);

/* One stream to write pieces to. Zeroed but for `file` and `escapes` is the start. */
struct terminal {
    FILE *file;
    bool escapes;    /* usually terminal_of(file) says */
    char pending[4]; /* the start of a character whose rest comes with the next piece */
    size_t pending_length;
    char last_byte; /* written so far; 0 when nothing was */
};
/* A stream that escapes when it shows on a terminal. */
struct terminal terminal_of(FILE *file);
int terminal_write(struct terminal *terminal, const char *data, size_t length, struct error *err);
/* Writes what is pending and flushes. */
int terminal_finish(struct terminal *terminal, struct error *err);
