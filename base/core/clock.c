#include "base/core/clock.h"

#include <time.h>

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_now_ms(void *self)
{
    (void)self;
    return clock_monotonic_us() / 1000;
}

struct clock clock_system(void)
{
    return (struct clock){.now_ms = system_now_ms};
}

static int64_t hand_now_ms(void *self)
{
    return ((struct hand_clock *)self)->time_ms;
}

struct clock clock_by_hand(struct hand_clock *hand)
{
    return (struct clock){.now_ms = hand_now_ms, .self = hand};
}
