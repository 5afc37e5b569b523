/* act: plays a script: what it answers to the next request.
 *
 * Pure: time, sockets and chance are elsewhere (player.h).
 */
#pragma once

#include "agent/tape/asked.h"
#include "agent/tape/reply.h"
#include "agent/tape/script.h"

struct act;

/* script is borrowed for the life of the act. chunks, where given, is used instead of what the
 * script says. */
struct act *act_create(const struct script *script, const struct script_chunks *chunks);
void act_destroy(struct act *act);

/* Answers of the script so far. */
unsigned act_answers(const struct act *act);
const char *act_model(const struct act *act);

/* Fills an empty reply. ERROR_CONFLICT: the request is not what the script expects; ERROR_MISSING:
 * the script has no further answer; ERROR_INVALID: it goes round in circles. Each names the line.
 */
int act_answer(struct act *act, const struct asked *asked, struct reply *reply, struct error *err);
