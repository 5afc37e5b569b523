/* deck: a tape in use: records what an agent and its peers say, or plays one of the peers, or both.
 *
 * The agent asks the deck for its endpoints and uses them as any others. Recording watches the
 * client; playing answers from a server of our own on the loopback, whose delays and whose retries
 * take no time: deck_clock is the clock of the loop.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "agent/tape/tape.h"
#include "base/core/loop.h"
#include "base/http/http_client.h"

enum deck_mode {
    DECK_RECORD,         /* both are real, and what they say becomes a new tape */
    DECK_REPLAY,         /* both come from the tape; any difference is a failure */
    DECK_REPLAY_LLM,     /* the model comes from the tape, the pool is real */
    DECK_REPLAY_SANDBOX, /* the pool comes from the tape, the model is real */
};
/* Reads record, replay, replay-llm, replay-sandbox. */
int deck_read_mode(const char *text, enum deck_mode *ret_mode, struct error *err);

struct deck;

/* Opens the tape, or, for DECK_REPLAY_LLM, a script (script.h) as well; for DECK_RECORD makes it.
 * ERROR_CONFLICT when that file is there already. */
int deck_create(enum deck_mode mode, const char *path, struct deck **ret_deck, struct error *err);
/* DECK_REPLAY_LLM with a script from memory. */
int deck_create_scripted(const char *data, size_t length, struct deck **ret_deck,
                         struct error *err);
void deck_destroy(struct deck *deck);
DEFINE_AUTO(deck)

/* For loop_create; the deck must outlive the loop. */
struct clock deck_clock(struct deck *deck);

bool deck_plays(const struct deck *deck, enum tape_party party);

/* Where the agent would go without a tape; NULL for one that is played. settings, borrowed, is
 * what a replay must know to do the same: the model's name, the wire. */
struct deck_start {
    struct loop *loop;
    struct http_client *http;
    const char *model_endpoint;
    const char *pool_endpoint;
    json_t *settings;
};
/* http is watched until deck_stop. */
int deck_start(struct deck *deck, const struct deck_start *start, struct error *err);
/* Before the loop and the client are destroyed. Harmless when it was not started. */
void deck_stop(struct deck *deck);

/* Where the agent goes. From deck_start on. */
const char *deck_endpoint(const struct deck *deck, enum tape_party party);
/* The settings of the recording: an object, empty for a new tape. Borrowed. */
json_t *deck_settings(const struct deck *deck);

/* This text never reaches the tape. */
void deck_hide(struct deck *deck, const char *secret);
/* This text differs from run to run; the tape has <name> in its place. */
void deck_name(struct deck *deck, const char *text, const char *name);

/* What the user says. Recorded; a replay has it from deck_turn. */
int deck_note_turn(struct deck *deck, const char *text, struct error *err);
/* The user's turn of that number, from 0; NULL when the tape has no more. */
const char *deck_turn(const struct deck *deck, size_t number);

/* How it ended, as an object; taken. Recorded, or compared by a strict replay. ERROR_CONFLICT when
 * what was played was not what is on the tape: deck_mismatch then says how. */
int deck_finish(struct deck *deck, json_t *final, struct error *err);
/* Lines for people; NULL while everything is as it was. */
const char *deck_mismatch(const struct deck *deck);
