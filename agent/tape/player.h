/* player: an HTTP server of our own process that answers in pieces and on time, on the loopback.
 *
 * It stands where a model's endpoint, or a pool, would be. What it answers is the handler's word:
 * scripted.h plays a script, deck.h a tape. Everything that an agent uses for the real thing, curl,
 * streams, retries, runs for real against it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/tape/reply.h"
#include "base/core/cleanup.h"
#include "base/core/error.h"
#include "base/core/loop.h"

enum {
    PLAYER_BODY_BYTES_MAX = 160 * 1024 * 1024, /* of a request: more than the largest upload */
    PLAYER_URL_MAX = 80,
    PLAYER_CONNECTIONS_MAX = 64,
};

struct player;

struct player_request {
    const char *method;
    const char *target;
    const char *content_type; /* NULL: none */
    const char *body;
    size_t length;
};

struct player_handler {
    void *self;
    /* Fills an empty reply. Called once for each request, when its body is complete. */
    void (*on_request)(void *self, const struct player_request *request, struct reply *ret_reply);
};

/* listen_fd is borrowed, listening, non-blocking. Delays run by the loop's clock. */
int player_create(struct loop *loop, int listen_fd, const struct player_handler *handler,
                  struct player **ret_player, struct error *err);
void player_destroy(struct player *player);
DEFINE_AUTO(player)

/* "http://127.0.0.1:PORT", of the socket that it listens on. */
const char *player_url(const struct player *player);

/* How many answers are under way whose next piece waits for the clock while its client has had
 * every byte before it, and how many are under way at all; for a clock that skips such waits. */
unsigned player_waiting(const struct player *player);
/* Bytes of bodies that were given to the sockets so far. */
uint64_t player_bytes_given(const struct player *player);
