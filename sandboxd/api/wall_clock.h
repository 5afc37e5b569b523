/* wall_clock: from the monotonic clock, which everything here goes by, to the time of day, which
 * people read. */
#pragma once

#include <stdint.h>

/* Microseconds since 1970. */
int64_t wall_clock_now_us(void);
/* Microseconds since 1970 of a monotonic time in milliseconds, past or to come. The same moment
 * gets the same answer until somebody sets the machine's clock. */
int64_t wall_clock_us(int64_t monotonic_ms);
