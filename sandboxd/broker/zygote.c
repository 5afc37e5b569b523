/* Zygotes: started, renewed and ended. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/sandbox/namespaces.h"

enum {
    ZYGOTE_JOINS_MAX = 16,    /* asked and not answered yet */
    ZYGOTE_AGE_MS = 3600000,  /* after which it is replaced */
    ZYGOTE_READY_MS = 600000, /* what its imports may take: minutes where a processor is emulated */
    ZYGOTE_ANSWER_MS = 5000,  /* what one join may take; some milliseconds are usual */
};

/* ---- the end ---- */

static void end(struct zygote *zygote)
{
    zygote->peer.ready = false;
    namespaces_signal(zygote->peer.pid_fd, SIGKILL, NULL);
}

void zygote_kill(struct zygote *zygote, const char *why)
{
    log_error("zygote.broken", "message=\"%s\"", why);
    end(zygote);
}

/* It has nothing that would be lost: what it owes is answered first. */
static void retire(struct zygote *zygote)
{
    zygote->retired = true;
    if (zygote->joins_owed == 0)
        end(zygote);
}

void zygote_end_all(struct broker *broker)
{
    for (struct zygote *zygote = broker->zygotes; zygote; zygote = zygote->next)
        end(zygote);
}

bool zygote_has_process(struct broker *broker, pid_t pid)
{
    struct zygote *zygote = broker->zygotes;
    while (zygote && (zygote->peer.pid_fd < 0 || zygote->peer.pid != pid))
        zygote = zygote->next;
    return zygote;
}

static void destroy(struct zygote *zygote)
{
    struct broker *broker = zygote->broker;
    struct zygote **link = &broker->zygotes;
    while (*link != zygote)
        link = &(*link)->next;
    *link = zygote->next;
    broker->joins_owed -= zygote->joins_owed;
    loop_stop_timer(broker->loop, &zygote->deadline);
    peer_close(broker, &zygote->peer);
    free(zygote);
}

/* ---- deadlines ---- */

static void on_deadline(void *self)
{
    struct zygote *zygote = self;
    zygote_kill(zygote, zygote->peer.ready ? "it does not answer" : "its imports do not end");
}

static void await(struct zygote *zygote, int64_t within_ms)
{
    struct loop *loop = zygote->broker->loop;
    loop_start_timer(loop, &zygote->deadline, loop_now_ms(loop) + within_ms, on_deadline, zygote);
}

void zygote_note_asked(struct zygote *zygote)
{
    zygote->joins++;
    zygote->retired |= zygote->start != START_FORK;
    zygote->broker->joins_owed++;
    if (zygote->joins_owed++ == 0)
        await(zygote, ZYGOTE_ANSWER_MS);
}

void zygote_note_answered(struct zygote *zygote)
{
    zygote->broker->joins_owed--;
    if (--zygote->joins_owed > 0)
        await(zygote, ZYGOTE_ANSWER_MS);
    else
        loop_stop_timer(zygote->broker->loop, &zygote->deadline);
    if (zygote->retired)
        retire(zygote);
}

/* ---- the life ---- */

/* Its older ones have served. */
static void take_over(struct zygote *zygote)
{
    struct broker *broker = zygote->broker;
    const struct frame *frame = &broker->message.frame;
    log_info("zygote.ready", "wait_ms=%" PRId64, loop_now_ms(broker->loop) - zygote->started_ms);
    zygote->peer.ready = true;
    loop_stop_timer(broker->loop, &zygote->deadline);
    if (zygote->start == START_FORK) {
        broker->image_length = frame->length;
        memcpy(broker->image, frame->payload, frame->length);
        broker_tell_image(broker);
        for (struct zygote *older = zygote->next; older; older = older->next) {
            if (older->start == START_FORK)
                retire(older);
        }
    }
    session_ask_joins(broker);
    /* Its session has ended meanwhile, and no other waits. */
    if (zygote->start != START_FORK && zygote->joins == 0)
        retire(zygote);
}

/* False when there is nothing more to read. */
static bool receive(struct zygote *zygote)
{
    struct broker *broker = zygote->broker;
    struct error err = {0};
    enum channel_outcome outcome =
        channel_receive(zygote->peer.channel_fd, 1, &broker->message, &err);
    if (outcome == CHANNEL_BROKEN)
        zygote_kill(zygote, err.message);
    if (outcome != CHANNEL_MESSAGE)
        return false;
    if (broker->message.frame.type != FRAME_ZYGOTE_READY)
        session_handle_zygote(zygote, &broker->message);
    else if (zygote->peer.exit_watch.active)
        take_over(zygote);
    channel_release(&broker->message);
    return true;
}

static void on_frame(void *self, uint32_t events)
{
    (void)events;
    struct zygote *zygote = self;
    if (!receive(zygote))
        loop_unwatch(zygote->broker->loop, &zygote->peer.channel_watch);
}

/* The daemon is nothing without forks; others wait for their turn again. */
static void give_up(struct broker *broker, enum session_start start, const char *why)
{
    if (start == START_FORK)
        broker_stop(broker, 1);
    else
        session_fail_waiting(broker, start, why);
}

static void on_exit_event(void *self, uint32_t events)
{
    (void)events;
    struct zygote *zygote = self;
    struct broker *broker = zygote->broker;
    loop_unwatch(broker->loop, &zygote->peer.exit_watch);
    zygote->peer.ready = false;
    /* Interpreters that it has made and told of are still to be heard of. A fork of it that is on
     * its way may hold the other end for a moment longer. */
    channel_set_nonblocking(zygote->peer.channel_fd, NULL);
    while (receive(zygote))
        ;
    bool expected = (zygote->retired && zygote->joins_owed == 0) || broker->stopping;
    enum session_start start = zygote->start;
    int status = broker_reap(broker, &zygote->peer.pid_fd);
    session_zygote_gone(zygote);
    destroy(zygote);
    broker_reap_strangers(broker);
    if (!expected) {
        log_error("zygote.ended", "status=%d", status);
        /* Where none has ever been ready, imports fail and will fail again. */
        bool hopeless = start == START_FORK && broker->image_length == 0;
        if (broker_count_death(broker, &broker->zygote_deaths[start]) || hopeless)
            give_up(broker, start, "processes for its interpreter end before they are ready");
    }
    if (broker->stopping)
        broker_session_settled(broker);
    else
        session_ask_joins(broker);
}

/* ---- the start ---- */

int zygote_start(struct broker *broker, enum session_start start, struct error *err)
{
    /* What imports may write while they warm up. */
    static const struct root_message root = {.data_bytes = 16 * 1024 * 1024, .data_inodes = 1024};
    const struct broker_options *options = &broker->options;
    struct zygote *zygote = xcalloc(1, sizeof *zygote);
    *zygote = (struct zygote){
        .broker = broker,
        .start = start,
        .next = broker->zygotes,
        .peer =
            {
                .pid_fd = -1,
                .channel_fd = -1,
                .on_frame = on_frame,
                .on_exit = on_exit_event,
                .self = zygote,
            },
        .started_ms = loop_now_ms(broker->loop),
    };
    broker->zygotes = zygote;
    if (peer_start(broker, &zygote->peer, options->worker_fd, options->zygote_arguments[start],
                   NULL, 0, err) < 0) {
        destroy(zygote);
        return error_add_context(err, "start a zygote");
    }
    await(zygote, ZYGOTE_READY_MS);
    if (channel_send(zygote->peer.channel_fd, FRAME_ZYGOTE_SETUP, 0, &root, sizeof root,
                     options->profile_fds, 1, NULL) < 0)
        zygote_kill(zygote, "it does not take its set-up");
    return 0;
}

/* One that is worn has the same layout of memory as many sessions. It serves until another one is
 * ready. */
static bool is_worn(const struct zygote *zygote)
{
    const struct broker *broker = zygote->broker;
    return zygote->joins >= broker->options.zygote_joins ||
           loop_now_ms(broker->loop) - zygote->started_ms > ZYGOTE_AGE_MS;
}

/* How many should be on their way. */
static unsigned wanted(const struct broker *broker, enum session_start start,
                       const struct zygote *ready)
{
    if (broker->stopping)
        return 0;
    if (start == START_FORK)
        return !ready || is_worn(ready);
    return ready ? 0 : session_count_waiting(broker, start, broker->warming_max);
}

struct zygote *zygote_to_ask(struct broker *broker, enum session_start start)
{
    struct zygote *ready = NULL;
    unsigned coming = 0;
    for (struct zygote *zygote = broker->zygotes; zygote; zygote = zygote->next) {
        if (zygote->start != start || zygote->retired)
            continue;
        if (!zygote->peer.ready)
            coming++;
        else if (!ready)
            ready = zygote;
    }
    struct error err = {0};
    for (unsigned count = wanted(broker, start, ready); coming < count; coming++) {
        if (zygote_start(broker, start, &err) == 0)
            continue;
        log_error("zygote.failed", "message=\"%s\"", err.message);
        if (!ready && coming == 0)
            give_up(broker, start, err.message);
        break;
    }
    return ready && ready->joins_owed < ZYGOTE_JOINS_MAX ? ready : NULL;
}
