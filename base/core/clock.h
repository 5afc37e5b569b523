/* clock: time, passed in. Monotonic milliseconds drive every deadline, so that a jump of the wall
 * clock changes nothing; wall time is for people and files only.
 */
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*now_ms)(void *self); /* monotonic */
    void *self;
};

/* The machine's own monotonic clock, which goes on while the machine sleeps. */
struct clock clock_system(void);

static inline int64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock->self);
}

/* Microseconds of the same clock, for the timing headers. */
int64_t clock_monotonic_us(void);

/* A clock that tests move by hand. */
struct hand_clock {
    int64_t time_ms;
};
struct clock clock_by_hand(struct hand_clock *hand);
