/* capture: requests in the form that tapes hold: without what must not be on a tape, and with
 * tokens in place of what differs from run to run.
 */
#pragma once

#include "agent/tape/player.h"
#include "agent/tape/tape.h"
#include "base/http/http_client.h"

/* Of a request that the agent's client sends. A file that is sent is read to its end, for its
 * digest. */
int capture_sent(const struct http_exchange_options *options, enum tape_party party,
                 const struct tape_tokens *tokens, struct tape_request *ret_request,
                 struct error *err);
/* Of the same request where it arrives. */
int capture_received(const struct player_request *received, enum tape_party party,
                     const struct tape_tokens *tokens, struct tape_request *ret_request,
                     struct error *err);
/* Path and query of a URL, or of a target as it is, with the values of parameters that hold
 * credentials replaced. returned */
char *capture_path(const char *url, const struct tape_tokens *tokens);
/* The headers of an answer that are on a tape; ends with NULL. */
extern const char *const capture_headers[];
