/* outbox: frames on their way into a non-blocking channel, in order.
 *
 * What the channel does not take at once waits here until the loop says that there is room again.
 * The owner of the channel's watch calls outbox_flush on EPOLLOUT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/loop.h"
#include "sandboxd/control/frame.h"

struct outbox_item;

struct outbox {
    struct loop *loop;
    struct watch *watch; /* the channel's own watch; EPOLLOUT is added while something waits */
    struct outbox_item *first;
    struct outbox_item *last;
    bool broken; /* the peer is gone; whoever reads the channel learns it too */
};

void outbox_open(struct outbox *outbox, struct loop *loop, struct watch *watch);
/* Drops what waits. */
void outbox_close(struct outbox *outbox);

/* fd is taken (-1: none). Never fails: a lost peer is noticed by the reader of the channel. */
void outbox_send(struct outbox *outbox, enum frame_type type, uint64_t tag, const void *payload,
                 size_t length, int fd);
void outbox_flush(struct outbox *outbox);
