/* deliver: what a turn made, saved on this machine. */
#pragma once

#include "agent/commands/command.h"
#include "agent/commands/run_screen.h"
#include "agent/local/save.h"

enum { DELIVER_FILES_MAX = 200 };

/* Zeroed but for the directory is the start. */
struct deliver {
    const char *directory;
    char *paths[DELIVER_FILES_MAX];
    size_t count;
    bool image_failed;
};
void deliver_clear(struct deliver *deliver);

/* path: below the session's data directory, plain (inventory.h). */
void deliver_add(struct deliver *deliver, const char *path);
/* Saved at once, under that name or the next that is free. */
void deliver_image(struct deliver *deliver, const char *name, const char *data, size_t length);
/* Fetches what was added. A local file is never replaced: the name gets a number. Nothing is saved
 * under a name that begins with a dot: those steer programs of this machine. -1: something was not
 * saved, which has been said. */
int deliver_all(struct deliver *deliver, struct command *command, const char *session,
                struct run_screen *screen);
