/* timing: the headers that tell where the time of a synchronous execution went.
 *
 * Preparation, allocation and the execution itself follow each other and make up the total, as in
 * the recorded answer. Allocation is the wait for a session that the request has made; waiting
 * behind other executions of a session is part of its own. What was never begun is left out.
 */
#pragma once

#include "base/http/http_server.h"
#include "sandboxd/api/execution.h"

enum { TIMING_HEADERS_MAX = 7, TIMING_TEXT_MAX = 32 };

/* What the headers point to until the response has been sent. */
struct timing {
    char texts[TIMING_HEADERS_MAX][TIMING_TEXT_MAX];
    int count;
};

/* head_us: when the request came. now_us: when it is answered. */
void timing_add_headers(struct timing *timing, const struct execution *execution, int64_t head_us,
                        int64_t now_us, struct http_response *response);
