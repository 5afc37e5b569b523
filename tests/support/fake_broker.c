#include "tests/support/fake_broker.h"

#include <assert.h>

static void on_start(void *self, struct session *session)
{
    struct fake_broker *fake = self;
    assert(fake->starts < FAKE_BROKER_SESSIONS_MAX);
    fake->started[fake->starts++] = session;
}

static void on_store(void *self, struct session *session)
{
    (void)session;
    ((struct fake_broker *)self)->stores++;
}

static void on_join(void *self, struct session *session)
{
    (void)session;
    ((struct fake_broker *)self)->joins++;
}

static void on_remove(void *self, struct session *session)
{
    struct fake_broker *fake = self;
    fake->removes++;
    fake->last_removed = session;
}

static void on_wake(void *self, struct pool *pool, int64_t at_ms)
{
    (void)pool;
    ((struct fake_broker *)self)->wake_at_ms = at_ms;
}

struct pool_broker fake_broker_seam(struct fake_broker *fake)
{
    *fake = (struct fake_broker){.wake_at_ms = -1};
    return (struct pool_broker){
        .start = on_start,
        .store = on_store,
        .join = on_join,
        .remove = on_remove,
        .wake = on_wake,
        .self = fake,
    };
}

void fake_broker_bring_up(struct session *session)
{
    session_on_started(session);
    session_on_interpreter_idle(session);
}

void fake_broker_reap(struct session *session)
{
    struct error gone;
    error_set(&gone, ERROR_MISSING, "the session has ended");
    session_on_ended(session, &gone);
}
