#include "sandboxd/api/wall_clock.h"

#include <stdlib.h>
#include <time.h>

#include "base/core/clock.h"

/* Less than this is the time between two readings. */
enum { STEP_US = 50000 };

int64_t wall_clock_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t wall_clock_us(int64_t monotonic_ms)
{
    static int64_t offset_us;
    int64_t measured_us = wall_clock_now_us() - clock_monotonic_us();
    if (llabs(measured_us - offset_us) > STEP_US)
        offset_us = measured_us;
    return monotonic_ms * 1000 + offset_us;
}
