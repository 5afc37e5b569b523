#include "sandboxd/link/broker_link.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/link/blob.h"
#include "sandboxd/link/session_link.h"

static struct channel_message received;

static struct session_link *link_of(struct table_node *node)
{
    return (struct session_link *)((char *)node - offsetof(struct session_link, node));
}

/* A number is its own hash, so the first with that hash is the one. */
static struct session_link *find_link(const struct broker_link *broker, uint64_t number)
{
    struct table_node *node = table_first(&broker->links, number);
    return node ? link_of(node) : NULL;
}

void broker_link_send(struct broker_link *broker, enum frame_type type, uint64_t number)
{
    outbox_send(&broker->outbox, type, number, NULL, 0, -1);
}

static struct session_link *add_link(struct broker_link *broker, struct session *session,
                                     uint64_t number)
{
    struct session_link *link = session_link_create(broker, session, number);
    table_insert(&broker->links, &link->node, number);
    return link;
}

static void end_link(struct broker_link *broker, struct session_link *link, const struct error *why)
{
    table_remove(&broker->links, &link->node);
    session_link_on_ended(link, why);
}

/* ---- what pools ask for ---- */

_Static_assert((int)POOL_EGRESS_RANGES_MAX == (int)EGRESS_RANGES_MAX, "every range has a place");

static void fill_egress(const struct pool_egress *egress, struct session_plan_message *plan)
{
    plan->network = egress->enabled ? NETWORK_EGRESS : NETWORK_CLOSED;
    plan->egress.names = egress->names;
    plan->egress.range_count = egress->range_count;
    memcpy(plan->egress.ranges, egress->ranges, sizeof egress->ranges);
}

static enum session_start start_of(const struct pool_settings *settings)
{
    if (!settings->start_exec)
        return START_FORK;
    return settings->preload ? START_EXEC : START_BARE;
}

static void on_start(void *self, struct session *session)
{
    struct broker_link *broker = self;
    const struct pool_settings *settings = &session->pool->settings;
    struct session_link *link = add_link(broker, session, broker->next_number++);
    struct session_plan_message plan = {
        .memory_bytes = settings->session_memory_bytes,
        .data_bytes = settings->data_bytes,
        .data_inodes = settings->data_inodes,
        .tasks = settings->session_tasks,
        .cpu_percent = settings->cpu_percent,
        .policy = settings->policy,
        .start = start_of(settings),
        .audit = settings->audit,
    };
    fill_egress(&settings->egress, &plan);
    outbox_send(&broker->outbox, FRAME_SESSION_START, link->number, &plan, sizeof plan, -1);
}

static void on_store(void *self, struct session *session)
{
    struct broker_link *broker = self;
    struct session_link *link = session_link_of(session);
    struct blob blob = {.record = session->record};
    memcpy(blob.pool, session->pool->settings.key, sizeof blob.pool);
    memcpy(blob.guid, link->guid, sizeof blob.guid);
    if (session->identifier)
        snprintf(blob.identifier, sizeof blob.identifier, "%s", session->identifier);
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    outbox_send(&broker->outbox, FRAME_SESSION_STORE, link->number, data, length, -1);
}

static void on_join(void *self, struct session *session)
{
    broker_link_send(self, FRAME_INTERPRETER_JOIN, session_link_of(session)->number);
}

static void on_remove(void *self, struct session *session)
{
    broker_link_send(self, FRAME_SESSION_REMOVE, session_link_of(session)->number);
}

static void on_wake(void *self, struct pool *pool, int64_t at_ms)
{
    struct broker_link *broker = self;
    broker->events.on_wake(broker->events.self, pool, at_ms);
}

struct pool_broker broker_link_seam(struct broker_link *broker)
{
    return (struct pool_broker){
        .start = on_start,
        .store = on_store,
        .join = on_join,
        .remove = on_remove,
        .wake = on_wake,
        .self = broker,
    };
}

/* ---- what the broker says ---- */

static void on_adopt(struct broker_link *broker, struct channel_message *message)
{
    const struct frame *frame = &message->frame;
    struct error err = {0};
    struct blob blob;
    struct pool *pool = NULL;
    if (blob_read(frame->payload, frame->length, &blob, &err) == 0)
        pool = broker->events.find_pool(broker->events.self, blob.pool);
    bool twice = pool && blob.identifier[0] && pool_find_session(pool, blob.identifier);
    if (!pool || twice) {
        log_warning("session.not_adopted", "session=s-%" PRIu64, frame->tag);
        broker_link_send(broker, FRAME_SESSION_REMOVE, frame->tag);
        return;
    }
    const char *identifier = blob.identifier[0] ? blob.identifier : NULL;
    struct session *session = pool_adopt_session(pool, identifier, &blob.record);
    struct session_link *link = add_link(broker, session, frame->tag);
    memcpy(link->guid, blob.guid, sizeof link->guid);
    session_link_on_started(link, message, true);
    log_info("session.adopted", "session=s-%" PRIu64 " pool=%s", link->number, blob.pool);
}

static void on_failed(struct broker_link *broker, struct session_link *link,
                      const struct frame *frame)
{
    struct result_message result;
    bool told = message_read_result(frame, &result, NULL) == 0;
    struct error why;
    error_set(&why, ERROR_SYSTEM, "a session could not be started: %s",
              told ? result.text : "the broker did not say why");
    log_error("session.failed", "session=s-%" PRIu64 " error=\"%s\"", link->number, why.message);
    end_link(broker, link, &why);
}

static void on_gone(struct broker_link *broker, struct session_link *link)
{
    struct error why;
    error_set(&why, ERROR_MISSING, "the session has ended; send the request again for a new one");
    log_info("session.ended", "session=s-%" PRIu64, link->number);
    end_link(broker, link, &why);
}

static int on_denied(struct broker_link *broker, const struct frame *frame)
{
    struct session_link *link = find_link(broker, frame->tag);
    struct denied_message denied;
    if (message_read(frame, &denied, sizeof denied, NULL) < 0)
        return -1;
    if (link)
        interpreter_on_denied(&link->interpreter, &denied);
    return 0;
}

static int on_session_frame(struct broker_link *broker, struct channel_message *message)
{
    const struct frame *frame = &message->frame;
    struct session_link *link = find_link(broker, frame->tag);
    struct gone_message gone;
    if (!link)
        return 0; /* one that was not adopted */
    switch (frame->type) {
    case FRAME_SESSION_STARTED:
        session_link_on_started(link, message, false);
        return 0;
    case FRAME_SESSION_FAILED:
        on_failed(broker, link, frame);
        return 0;
    case FRAME_SESSION_GONE:
        on_gone(broker, link);
        return 0;
    case FRAME_INTERPRETER_JOINED:
        session_link_on_joined(link, message);
        return 0;
    case FRAME_INTERPRETER_SIGNALLED:
        interpreter_on_signalled(&link->interpreter);
        return 0;
    case FRAME_DENIED:
        return on_denied(broker, frame);
    case FRAME_INTERPRETER_GONE:
        if (message_read(frame, &gone, sizeof gone, NULL) < 0)
            return -1;
        session_link_on_interpreter_gone(link, &gone);
        return 0;
    default:
        return -1;
    }
}

static int on_frame(struct broker_link *broker, struct channel_message *message)
{
    const struct frame *frame = &message->frame;
    switch (frame->type) {
    case FRAME_HELLO:
        broker->next_number = frame->tag;
        broker->events.on_hello(broker->events.self);
        return 0;
    case FRAME_IMAGE:
        broker->events.on_image(broker->events.self, frame->payload, frame->length);
        return 0;
    case FRAME_SESSION_ADOPT:
        on_adopt(broker, message);
        return 0;
    default:
        return on_session_frame(broker, message);
    }
}

static void give_up(struct broker_link *broker, const struct error *why)
{
    loop_unwatch(broker->loop, &broker->watch);
    broker->events.on_closed(broker->events.self, why);
}

/* False when there is nothing more to read now. */
static bool read_one(struct broker_link *broker, struct channel_message *message)
{
    struct error err = {0};
    switch (channel_receive(broker->watch.fd, FRAME_DESCRIPTORS_MAX, message, &err)) {
    case CHANNEL_MESSAGE:
        return true;
    case CHANNEL_EMPTY:
        return false;
    case CHANNEL_CLOSED:
        error_set(&err, ERROR_MISSING, "the broker has ended");
        break;
    case CHANNEL_BROKEN:
        break;
    }
    give_up(broker, &err);
    return false;
}

static void take(struct broker_link *broker, struct channel_message *message)
{
    struct error err;
    int result = on_frame(broker, message);
    channel_release(message);
    if (result == 0)
        return;
    error_set(&err, ERROR_INVALID, "the broker sent a frame that makes no sense here");
    give_up(broker, &err);
}

/* ---- what was read ahead ---- */

struct early_frame {
    struct early_frame *next;
    struct channel_message message;
};

static struct early_frame *take_early(struct broker_link *broker)
{
    struct early_frame *first = broker->early;
    broker->early = first ? first->next : NULL;
    if (!broker->early)
        broker->early_end = &broker->early;
    return first;
}

static void on_early(void *self)
{
    struct broker_link *broker = self;
    struct early_frame *first;
    while (broker->watch.active && (first = take_early(broker))) {
        take(broker, &first->message);
        free(first);
    }
}

static void keep_early(struct broker_link *broker, struct channel_message *message)
{
    struct early_frame *last = xcalloc(1, sizeof *last);
    last->message = *message;
    last->message.frame.payload = last->message.bytes + FRAME_HEADER_BYTES;
    message->fd_count = 0; /* they have moved */
    *broker->early_end = last;
    broker->early_end = &last->next;
    loop_start_timer(broker->loop, &broker->early_timer, loop_now_ms(broker->loop), on_early,
                     broker);
}

void broker_link_catch_up(struct broker_link *broker)
{
    static struct channel_message ahead;
    while (broker->watch.active && read_one(broker, &ahead)) {
        /* Whose fault a refusal is that cannot be read, is told there. */
        if (ahead.frame.type != FRAME_DENIED || on_denied(broker, &ahead.frame) < 0)
            keep_early(broker, &ahead);
    }
}

static void on_ready(void *self, uint32_t events)
{
    struct broker_link *broker = self;
    if (events & EPOLLOUT)
        outbox_flush(&broker->outbox);
    if (!(events & ~(uint32_t)EPOLLOUT))
        return;
    on_early(broker);
    if (broker->watch.active && read_one(broker, &received))
        take(broker, &received);
}

int broker_link_open(struct broker_link *broker, struct loop *loop, int fd, unsigned sessions_max,
                     const struct broker_link_events *events, struct error *err)
{
    *broker = (struct broker_link){.loop = loop, .events = *events, .next_number = 1};
    broker->early_end = &broker->early;
    if (channel_set_nonblocking(fd, err) < 0 ||
        loop_watch(loop, &broker->watch, fd, EPOLLIN, on_ready, broker, err) < 0)
        return -1;
    table_create(&broker->links, sessions_max);
    outbox_open(&broker->outbox, loop, &broker->watch);
    return 0;
}

void broker_link_close(struct broker_link *broker)
{
    struct error why;
    error_set(&why, ERROR_MISSING, "the daemon is stopping");
    loop_unwatch(broker->loop, &broker->watch);
    loop_stop_timer(broker->loop, &broker->early_timer);
    struct early_frame *early;
    while ((early = take_early(broker))) {
        channel_release(&early->message);
        free(early);
    }
    outbox_close(&broker->outbox);
    for (size_t i = 0; i <= broker->links.mask; i++) {
        while (broker->links.buckets[i])
            end_link(broker, link_of(broker->links.buckets[i]), &why);
    }
    table_destroy(&broker->links);
}
