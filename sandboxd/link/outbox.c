#include "sandboxd/link/outbox.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/channel.h"

struct outbox_item {
    struct outbox_item *next;
    enum frame_type type;
    uint64_t tag;
    int fd;
    size_t length;
    uint8_t payload[];
};

void outbox_open(struct outbox *outbox, struct loop *loop, struct watch *watch)
{
    *outbox = (struct outbox){.loop = loop, .watch = watch};
}

static void drop_first(struct outbox *outbox)
{
    struct outbox_item *item = outbox->first;
    outbox->first = item->next;
    if (!outbox->first)
        outbox->last = NULL;
    close_fd(&item->fd);
    free(item);
}

void outbox_close(struct outbox *outbox)
{
    while (outbox->first)
        drop_first(outbox);
}

void outbox_flush(struct outbox *outbox)
{
    while (outbox->first && !outbox->broken) {
        struct outbox_item *item = outbox->first;
        struct error err = {0};
        if (channel_send(outbox->watch->fd, item->type, item->tag, item->payload, item->length,
                         &item->fd, item->fd >= 0, &err) == 0) {
            drop_first(outbox);
            continue;
        }
        if (err.code == ERROR_LIMIT)
            break;
        outbox->broken = true;
    }
    if (outbox->broken)
        outbox_close(outbox);
    loop_change(outbox->loop, outbox->watch, outbox->first ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void outbox_send(struct outbox *outbox, enum frame_type type, uint64_t tag, const void *payload,
                 size_t length, int fd)
{
    struct outbox_item *item = xcalloc(1, sizeof *item + length);
    item->type = type;
    item->tag = tag;
    item->fd = fd;
    item->length = length;
    if (length > 0)
        memcpy(item->payload, payload, length);
    if (outbox->last)
        outbox->last->next = item;
    else
        outbox->first = item;
    outbox->last = item;
    if (outbox->first == item)
        outbox_flush(outbox);
}
