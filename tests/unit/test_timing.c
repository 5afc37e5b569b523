#include "sandboxd/api/timing.h"

#include "tests/support/unit.h"

/* In microseconds: the request comes at 1,000,000. */
static struct execution ran(bool session_is_new)
{
    return (struct execution){
        .session_is_new = session_is_new,
        .obtained_us = 1006507,
        .turn_us = 1115237,
        .run = {.outcome = RUN_FINISHED,
                .started_us = 1115300,
                .answered_us = 1122300,
                .done = {.wall_us = 6900}},
    };
}

static const char *header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->headers; i++) {
        if (strcmp(response->header_names[i], name) == 0)
            return response->header_values[i];
    }
    return NULL;
}

static void check(const struct http_response *response, const char *name, const char *expected)
{
    const char *value = header(response, name);
    if (!expected)
        assert_null(value);
    else
        assert_string_equal(value ? value : "missing", expected);
}

static void the_parts_make_up_the_total(void **state)
{
    (void)state;
    struct timing timing = {0};
    struct http_response response = {0};
    struct execution execution = ran(true);
    timing_add_headers(&timing, &execution, 1000000, 1122437, &response);
    check(&response, "x-ms-preparation-time", "6.5070");
    check(&response, "x-ms-allocation-time", "108.7300");
    check(&response, "x-ms-overall-execution-time", "7.2000");
    check(&response, "x-ms-total-execution-service-time", "122.4370");
    check(&response, "x-ms-allocation-retries", "0");
    check(&response, "x-ms-new-allocation", "True");
    check(&response, "x-ms-execution-request-time", "7.0000");
    check(&response, "x-ms-execution-read-response-time", "0.1370");
    check(&response, "x-ms-container-execution-duration", "6");
}

static void waiting_behind_others_is_no_allocation(void **state)
{
    (void)state;
    struct timing timing = {0};
    struct http_response response = {0};
    struct execution execution = ran(false);
    timing_add_headers(&timing, &execution, 1000000, 1122437, &response);
    check(&response, "x-ms-new-allocation", "False");
    check(&response, "x-ms-preparation-time", "6.5070");
    check(&response, "x-ms-allocation-time", "0.0000");
    check(&response, "x-ms-overall-execution-time", "115.9300");
}

static void what_never_had_its_turn_has_no_times_of_it(void **state)
{
    (void)state;
    struct timing timing = {0};
    struct http_response response = {0};
    struct execution execution = {.obtained_us = 1000100, .run = {.outcome = RUN_CANCELED}};
    timing_add_headers(&timing, &execution, 1000000, 1003000, &response);
    check(&response, "x-ms-total-execution-service-time", "3.0000");
    check(&response, "x-ms-allocation-time", NULL);
    check(&response, "x-ms-overall-execution-time", NULL);
    check(&response, "x-ms-execution-request-time", NULL);
    check(&response, "x-ms-execution-read-response-time", NULL);
    check(&response, "x-ms-container-execution-duration", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_make_up_the_total),
        cmocka_unit_test(waiting_behind_others_is_no_allocation),
        cmocka_unit_test(what_never_had_its_turn_has_no_times_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
