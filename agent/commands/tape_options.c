#include "agent/commands/tape_options.h"

enum { KEY_TAPE = 0x300, KEY_TAPE_MODE };

static const struct argp_option options[] = {
    {"tape", KEY_TAPE, "FILE", 0,
     "Record to this file, or play from it: a tape, or a script as the model (docs/tapes.md)", 20},
    {"tape-mode", KEY_TAPE_MODE, "MODE", 0,
     "record (both model and pool are real), replay (neither is; any difference fails with exit "
     "status 5), replay-llm (the pool is real; the default), replay-sandbox (the model is real)",
     20},
    {0},
};

static error_t on_key(int key, char *argument, struct argp_state *state)
{
    struct tape_options *tape = state->input;
    struct error err = {0};
    switch (key) {
    case ARGP_KEY_INIT:
        tape->mode = DECK_REPLAY_LLM;
        return 0;
    case KEY_TAPE:
        tape->path = argument;
        return 0;
    case KEY_TAPE_MODE:
        if (deck_read_mode(argument, &tape->mode, &err) < 0)
            argp_error(state, "--tape-mode: %s", err.message);
        tape->has_mode = true;
        return 0;
    case ARGP_KEY_END:
        if (tape->has_mode && !tape->path)
            argp_error(state, "--tape-mode needs --tape FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp tape_options = {.options = options, .parser = on_key};

int tape_options_open(const struct tape_options *tape, struct deck **ret_deck, struct error *err)
{
    *ret_deck = NULL;
    return tape->path ? deck_create(tape->mode, tape->path, ret_deck, err) : 0;
}
