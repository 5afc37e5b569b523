/* skip_clock: a clock for tapes: waits that nobody needs take no time.
 *
 * Before the loop waits, the clock is asked whether anything is under way that real time decides.
 * If not, it moves to the next timer at once: a retry in 20 s comes now, and everybody sees that 20
 * s have passed. Otherwise time runs as it does outside, or, where `is_still`, not at all, so that
 * a replay tells the same times whenever it runs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/clock.h"
#include "base/core/loop.h"

struct skip_clock {
    bool is_still;
    int64_t time_ms; /* is_still: the time; else what was skipped */
    struct loop *loop;
    struct preparation preparation;
    /* May be called before each wait. NULL: nothing is ever skipped. */
    bool (*may_skip)(void *self);
    void *self;
};

/* For loop_create. The skip_clock may be zeroed; it must outlive the loop. */
struct clock skip_clock_as_clock(struct skip_clock *clock);
/* Skips from now on. */
void skip_clock_start(struct skip_clock *clock, struct loop *loop, bool (*may_skip)(void *self),
                      void *self);
void skip_clock_stop(struct skip_clock *clock);
