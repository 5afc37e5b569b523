/* retry: whether to ask again, and when. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRIES_MAX = 5,      /* of one question (our limit) */
    RETRY_FIRST_MS = 500, /* doubled each time, as the SDKs of the services do */
    RETRY_LONGEST_MS = 8000,
    RETRY_BUDGET_DEFAULT_MS = 90000, /* our choice: a minute's quota comes back within it */
};

struct retry {
    unsigned count;    /* how many there have been */
    int64_t budget_ms; /* what is left for waiting */
    uint64_t *random;  /* the state of the jitter, shared by a model's calls */
};

/* Worth asking again: 408, 409, 429 and 5xx but "not implemented". */
bool retry_is_worth(unsigned status);

/* How long to wait, or -1: do not. asked_ms is what the service asks for, -1 where it does not
 * say. The wait is taken from the budget. */
int64_t retry_wait_ms(struct retry *retry, int64_t asked_ms);
