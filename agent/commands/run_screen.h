/* run_screen: a turn on a command line: the answer on standard output and the rest on standard
 * error, or events as JSON, one a line, all on standard output.
 */
#pragma once

#include "agent/turn/turn.h"
#include "base/core/buf.h"
#include "base/json/writer.h"

/* Zeroed but for the first two is the start. */
struct run_screen {
    bool json;
    bool trace;
    struct buf line;
};

void run_screen_start(struct run_screen *screen, const char *conversation, const char *session);
void run_screen_event(struct run_screen *screen, const struct turn_event *event);
void run_screen_done(struct run_screen *screen, const struct turn_outcome *outcome);
/* A file that the turn made is now at that path. */
void run_screen_saved(struct run_screen *screen, const char *name, const char *path);
void run_screen_clear(struct run_screen *screen);
