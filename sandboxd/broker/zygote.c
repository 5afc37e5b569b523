/* Zygotes: started, renewed and ended. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/control/inherit.h"

enum {
    ZYGOTE_JOINS_MAX = 16,    /* asked and not answered yet */
    ZYGOTE_AGE_MS = 3600000,  /* after which it is replaced */
    ZYGOTE_READY_MS = 600000, /* what its imports may take: minutes where a processor is emulated */
    ZYGOTE_ANSWER_MS = 5000,  /* what one join may take; some milliseconds are usual */
};

/* ---- the end ---- */

void zygote_kill(struct zygote *zygote, const char *why)
{
    log_error("zygote.broken", "message=\"%s\"", why);
    child_signal(&zygote->child, SIGKILL);
}

/* It has nothing that would be lost: what it owes is answered first. */
static void retire(struct zygote *zygote)
{
    zygote->retired = true;
    if (zygote->joins_owed == 0)
        child_signal(&zygote->child, SIGKILL);
}

void zygote_end_all(struct broker *broker)
{
    struct zygote *zygote;
    LIST_FOREACH (zygote, &broker->zygotes, siblings) {
        child_signal(&zygote->child, SIGKILL);
    }
}

static void destroy(struct zygote *zygote)
{
    LIST_REMOVE(zygote, siblings);
    loop_stop_timer(zygote->broker->loop, &zygote->deadline);
    free(zygote);
}

/* ---- deadlines ---- */

static void on_deadline(void *self)
{
    struct zygote *zygote = self;
    zygote_kill(zygote, zygote->ready ? "it does not answer" : "its imports do not end");
}

static void await(struct zygote *zygote, int64_t within_ms)
{
    loop_start_timer_in(zygote->broker->loop, &zygote->deadline, within_ms, on_deadline, zygote);
}

void zygote_note_asked(struct zygote *zygote, struct session *session)
{
    session->zygote = zygote;
    TAILQ_INSERT_TAIL(&zygote->owed, session, queue);
    zygote->joins++;
    zygote->retired |= zygote->start != START_FORK;
    if (zygote->joins_owed++ == 0)
        await(zygote, ZYGOTE_ANSWER_MS);
}

void zygote_note_answered(struct zygote *zygote, struct session *session)
{
    session->zygote = NULL;
    TAILQ_REMOVE(&zygote->owed, session, queue);
    if (--zygote->joins_owed > 0)
        await(zygote, ZYGOTE_ANSWER_MS);
    else
        loop_stop_timer(zygote->broker->loop, &zygote->deadline);
    if (zygote->retired)
        retire(zygote);
}

bool zygote_any_owes(struct broker *broker)
{
    struct zygote *zygote;
    LIST_FOREACH (zygote, &broker->zygotes, siblings) {
        if (zygote->joins_owed > 0)
            return true;
    }
    return false;
}

/* ---- the life ---- */

/* Its older ones have served. */
static void take_over(struct zygote *zygote)
{
    struct broker *broker = zygote->broker;
    const struct frame *frame = &broker->message.frame;
    log_info("zygote.ready", "wait_ms=%" PRId64, loop_now_ms(broker->loop) - zygote->started_ms);
    zygote->ready = true;
    loop_stop_timer(broker->loop, &zygote->deadline);
    if (zygote->start == START_FORK) {
        broker->image_length = frame->length;
        memcpy(broker->image, frame->payload, frame->length);
        broker_tell_image(broker);
        for (struct zygote *older = zygote; (older = LIST_NEXT(older, siblings));) {
            if (older->start == START_FORK)
                retire(older);
        }
    }
    session_ask_joins(broker);
    /* Its session has ended meanwhile, and no other waits. */
    if (zygote->start != START_FORK && zygote->joins == 0)
        retire(zygote);
}

static void on_zygote_frame(void *self)
{
    struct zygote *zygote = self;
    if (zygote->broker->message.frame.type != FRAME_ZYGOTE_READY)
        session_handle_zygote(zygote);
    else if (!zygote->child.ending)
        take_over(zygote);
}

/* The daemon is nothing without forks; others wait for their turn again. */
static void give_up(struct broker *broker, enum session_start start, const char *why)
{
    if (start == START_FORK)
        broker_stop(broker, 1);
    else
        session_fail_waiting(broker, start, why);
}

static void on_zygote_exit(void *self, int status)
{
    struct zygote *zygote = self;
    struct broker *broker = zygote->broker;
    bool expected = (zygote->retired && zygote->joins_owed == 0) || broker->stopping;
    enum session_start start = zygote->start;
    session_zygote_gone(zygote);
    destroy(zygote);
    child_reap_strangers(broker);
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
    const struct spawn program = {
        .executable_fd = INHERIT_WORKER_FD,
        .arguments = options->zygote_arguments[start],
    };
    struct zygote *zygote = xcalloc(1, sizeof *zygote);
    *zygote = (struct zygote){
        .broker = broker,
        .start = start,
        .child = {.descriptors_max = 1,
                  .on_frame = on_zygote_frame,
                  .on_exit = on_zygote_exit,
                  .self = zygote},
        .started_ms = loop_now_ms(broker->loop),
    };
    TAILQ_INIT(&zygote->owed);
    LIST_INSERT_HEAD(&broker->zygotes, zygote, siblings);
    if (child_start(broker, &zygote->child, &program, err) < 0) {
        destroy(zygote);
        return error_add_context(err, "start a zygote");
    }
    await(zygote, ZYGOTE_READY_MS);
    if (channel_send(zygote->child.channel_fd, FRAME_ZYGOTE_SETUP, 0, &root, sizeof root,
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
    unsigned waiting = 0;
    struct session *session = ready ? NULL : TAILQ_FIRST(&broker->waiting[start]);
    for (; session && waiting < broker->warming_max; session = TAILQ_NEXT(session, queue))
        waiting++;
    return waiting;
}

struct zygote *zygote_to_ask(struct broker *broker, enum session_start start)
{
    struct zygote *ready = NULL;
    unsigned coming = 0;
    struct zygote *zygote;
    LIST_FOREACH (zygote, &broker->zygotes, siblings) {
        if (zygote->start != start || zygote->retired)
            continue;
        if (!zygote->ready || zygote->child.ending)
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
