/* tape_options: --tape and --tape-mode, for every command that talks to a model. */
#pragma once

#include <argp.h>

#include "agent/tape/deck.h"

struct tape_options {
    const char *path; /* NULL: no tape */
    enum deck_mode mode;
    bool has_mode;
};

/* As a child of a command's own argp; the child input is the struct tape_options, zeroed. */
extern const struct argp tape_options;

/* The deck of the options; NULL with 0 when there is no tape. */
int tape_options_open(const struct tape_options *options, struct deck **ret_deck,
                      struct error *err);
