/* scripted: a script as an OpenAI-compatible model server: POST .../chat/completions and
 * .../responses, GET .../models, below any path, so that it fits wherever an endpoint is asked for.
 */
#pragma once

#include "agent/tape/act.h"
#include "agent/tape/player.h"

struct scripted {
    struct act *act; /* borrowed */
    /* A request was not what the script expects, or one too many: it was answered 400 with the code
     * "script_mismatch". May be NULL. */
    void (*on_mismatch)(void *self, const struct error *why);
    void *self;
    unsigned mismatches;
};

/* A handler for player_create; scripted is borrowed for the player's life. */
struct player_handler scripted_handler(struct scripted *scripted);
