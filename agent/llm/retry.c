#include "agent/llm/retry.h"

bool retry_is_worth(unsigned status)
{
    enum { NOT_IMPLEMENTED = 501, VERSION_NOT_SUPPORTED = 505 };
    if (status == NOT_IMPLEMENTED || status == VERSION_NOT_SUPPORTED)
        return false;
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* splitmix64: a seed gives the same waits each time. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0.5, 1, 2, 4, 8 s, each up to a quarter shorter, so that many clients do not come at once. */
static int64_t backoff_ms(const struct retry *retry)
{
    int64_t wait_ms = (int64_t)RETRY_FIRST_MS << retry->count;
    if (wait_ms > RETRY_LONGEST_MS)
        wait_ms = RETRY_LONGEST_MS;
    return wait_ms - (int64_t)(next_random(retry->random) % (uint64_t)(wait_ms / 4));
}

int64_t retry_wait_ms(struct retry *retry, int64_t asked_ms)
{
    if (retry->count >= RETRIES_MAX)
        return -1;
    int64_t wait_ms = asked_ms >= 0 ? asked_ms : backoff_ms(retry);
    if (wait_ms > retry->budget_ms)
        return -1;
    retry->count++;
    retry->budget_ms -= wait_ms;
    return wait_ms;
}
