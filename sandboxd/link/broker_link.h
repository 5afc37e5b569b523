/* broker_link: the front's end of the channel to the broker.
 *
 * Numbers sessions, carries out what pools ask for and hands the broker's news to the session they
 * are about. Descriptors of sessions come only from here.
 */
#pragma once

#include "base/core/loop.h"
#include "sandboxd/control/message.h"
#include "sandboxd/link/outbox.h"
#include "sandboxd/pool/pool.h"

struct session_link;

/* What the front is told. */
struct broker_link_events {
    void (*on_hello)(void *self); /* every session there was has been adopted */
    void (*on_image)(void *self, const void *data, size_t length); /* what sessions have */
    void (*on_closed)(void *self, const struct error *err);        /* the broker is gone */
    void (*on_wake)(void *self, struct pool *pool, int64_t at_ms);
    struct pool *(*find_pool)(void *self, const char *key); /* NULL: no such pool any more */
    void *self;
};

struct broker_link {
    struct loop *loop;
    struct broker_link_events events;
    struct watch watch;
    struct outbox outbox;
    struct table links; /* by number */
    uint64_t next_number;
    struct early_frame *early, **early_end; /* read ahead, in order */
    struct timer early_timer;
};

/* fd is borrowed and made non-blocking. sessions_max: of all pools together. */
int broker_link_open(struct broker_link *broker, struct loop *loop, int fd, unsigned sessions_max,
                     const struct broker_link_events *events, struct error *err);
/* Every session ends, with answers to what waits for it. */
void broker_link_close(struct broker_link *broker);

/* The seam of the pools. */
struct pool_broker broker_link_seam(struct broker_link *broker);

/* A frame without payload about one session. */
void broker_link_send(struct broker_link *broker, enum frame_type type, uint64_t number);

/* Takes in what the broker has said of refused calls so far. Everything else it has said is dealt
 * with later, in order: the caller is in the middle of something. */
void broker_link_catch_up(struct broker_link *broker);
