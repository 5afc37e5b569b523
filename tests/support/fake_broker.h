/* fake_broker: the pool's broker seam in memory. It writes down what it is asked for and does
 * nothing; the test says what happens next by calling session_on_... itself.
 */
#pragma once

#include "sandboxd/pool/pool.h"

enum { FAKE_BROKER_SESSIONS_MAX = 64 };

struct fake_broker {
    struct session *started[FAKE_BROKER_SESSIONS_MAX];
    unsigned starts;
    struct session *last_removed;
    unsigned removes;
    unsigned stores;
    unsigned joins;
    int64_t wake_at_ms; /* the last asked for; -1: none */
};

struct pool_broker fake_broker_seam(struct fake_broker *fake);

/* The session's shell and interpreter are there. */
void fake_broker_bring_up(struct session *session);
/* As the broker does after a removal. */
void fake_broker_reap(struct session *session);
