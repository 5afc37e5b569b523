#include "agent/tape/skip_clock.h"

static int64_t now_ms(void *self)
{
    const struct skip_clock *clock = self;
    return clock->time_ms + (clock->is_still ? 0 : clock_monotonic_us() / 1000);
}

struct clock skip_clock_as_clock(struct skip_clock *clock)
{
    return (struct clock){.now_ms = now_ms, .self = clock};
}

static int on_prepare(void *self)
{
    enum { LOOK_AGAIN_MS = 50 }; /* what may_skip says can change without an event */
    struct skip_clock *clock = self;
    int64_t at_ms;
    if (!loop_next_timer(clock->loop, &at_ms))
        return -1;
    int64_t left_ms = at_ms - now_ms(clock);
    if (left_ms <= 0)
        return 0;
    if (!clock->may_skip(clock->self))
        return LOOK_AGAIN_MS;
    clock->time_ms += left_ms;
    return 0;
}

void skip_clock_start(struct skip_clock *clock, struct loop *loop, bool (*may_skip)(void *self),
                      void *self)
{
    clock->loop = loop;
    clock->may_skip = may_skip;
    clock->self = self;
    loop_add_preparation(loop, &clock->preparation, on_prepare, clock);
}

void skip_clock_stop(struct skip_clock *clock)
{
    if (clock->loop)
        loop_remove_preparation(clock->loop, &clock->preparation);
    clock->loop = NULL;
}
