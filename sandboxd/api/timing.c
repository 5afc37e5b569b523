#include "sandboxd/api/timing.h"

#include <inttypes.h>
#include <stdio.h>

#include "sandboxd/api/answer.h"

/* Milliseconds with four decimals, as the service prints them. */
static void add_time(struct timing *timing, struct http_response *response, const char *name,
                     int64_t us)
{
    char *text = timing->texts[timing->count++];
    snprintf(text, TIMING_TEXT_MAX, "%.4f", (double)us / 1000);
    http_response_add(response, name, text);
}

static void add_of_turn(struct timing *timing, const struct execution *execution, int64_t now_us,
                        struct http_response *response)
{
    const struct run *run = &execution->run;
    int64_t begin_us = execution->session_is_new ? execution->turn_us : execution->obtained_us;
    add_time(timing, response, "x-ms-allocation-time", begin_us - execution->obtained_us);
    add_time(timing, response, "x-ms-overall-execution-time", now_us - begin_us);
    add_time(timing, response, "x-ms-execution-request-time", run->answered_us - run->started_us);
    add_time(timing, response, "x-ms-execution-read-response-time", now_us - run->answered_us);
    char *text = timing->texts[timing->count++];
    snprintf(text, TIMING_TEXT_MAX, "%" PRId64, answer_execution_time_ms(run));
    http_response_add(response, "x-ms-container-execution-duration", text);
}

void timing_add_headers(struct timing *timing, const struct execution *execution, int64_t head_us,
                        int64_t now_us, struct http_response *response)
{
    add_time(timing, response, "x-ms-preparation-time", execution->obtained_us - head_us);
    http_response_add(response, "x-ms-allocation-retries", "0"); /* there are none */
    http_response_add(response, "x-ms-new-allocation",
                      execution->session_is_new ? "True" : "False");
    if (execution->turn_us)
        add_of_turn(timing, execution, now_us, response);
    add_time(timing, response, "x-ms-total-execution-service-time", now_us - head_us);
}
