#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/api/answer.h"

static const struct answer_options plain = {.stream_characters_max = -1};

static struct run finished(enum done_display display, const char *value)
{
    struct run run = {
        .outcome = RUN_FINISHED,
        .done = {.succeeded = true, .display = display, .wall_us = 7400},
    };
    capture_open(&run.output, CAPTURE_BYTES_MAX);
    capture_open(&run.errors, CAPTURE_BYTES_MAX);
    buf_append_text(&run.result, value);
    run.result_total = run.result.length;
    return run;
}

static void check_result(struct run run, struct answer_options options, const char *expected)
{
    struct wire_execution answer = {0};
    answer_fill(&run, &options, &answer);
    assert_int_equal(answer.status, WIRE_STATUS_SUCCEEDED);
    assert_int_equal(answer.execution_time_ms, 7);
    if (expected)
        assert_string_equal(answer.result, expected);
    else
        assert_null(answer.result);
    wire_execution_clear(&answer);
    run_clear(&run);
}

static void values_follow_the_version(void **state)
{
    (void)state;
    struct answer_options text = plain, none = plain;
    text.value_as_text = true;
    none.none_as_null = true;
    check_result(finished(DISPLAY_TEXT, "2"), plain, "2");
    check_result(finished(DISPLAY_TEXT, "2"), text, "\"2\"");
    check_result(finished(DISPLAY_TEXT, "'a'"), plain, "\"'a'\"");
    check_result(finished(DISPLAY_NONE, ""), plain, NULL);
    check_result(finished(DISPLAY_NONE, ""), none, "null");
    check_result(finished(DISPLAY_NOTHING, ""), none, NULL);
}

static void check_errors(struct run run, const char *expected)
{
    struct wire_execution answer = {0};
    answer_fill(&run, &plain, &answer);
    assert_int_equal(answer.status, WIRE_STATUS_FAILED);
    assert_string_equal(answer.standard_error, expected);
    assert_string_equal(answer.standard_output, "kept");
    assert_null(answer.result);
    wire_execution_clear(&answer);
    run_clear(&run);
}

static struct run ended(enum run_outcome outcome, const char *errors, const char *ending)
{
    struct run run = finished(DISPLAY_TEXT, "2");
    run.outcome = outcome;
    capture_append(&run.output, "kept", 4);
    capture_append(&run.errors, errors, strlen(errors));
    snprintf(run.ending, sizeof run.ending, "%s", ending);
    return run;
}

static void bad_ends_use_the_words_of_the_service(void **state)
{
    (void)state;
    check_errors(ended(RUN_TIMED_OUT, "Traceback\nKeyboardInterrupt\n", ""),
                 "Request timed out waiting for code execution to complete");
    check_errors(ended(RUN_ABORTED, "", ""), "Execution aborted");
    check_errors(ended(RUN_ABORTED, "warning", ""), "warning\nExecution aborted");
    check_errors(ended(RUN_ABORTED, "", "The session was removed while this ran."),
                 "Execution aborted\nThe session was removed while this ran.");
}

static void a_value_beyond_the_limit_is_text_and_a_figure_is_dropped(void **state)
{
    (void)state;
    struct wire_execution answer = {0};
    struct run run = finished(DISPLAY_TEXT, "[1, 2]");
    run.result_total = 99999999;
    answer_fill(&run, &plain, &answer);
    assert_string_equal(answer.result, "\"[1, 2]\"");
    assert_non_null(strstr(answer.standard_error, "it was cut"));
    wire_execution_clear(&answer);

    run.done.display = DISPLAY_IMAGE;
    answer = (struct wire_execution){0};
    answer_fill(&run, &plain, &answer);
    assert_null(answer.result);
    assert_non_null(strstr(answer.standard_error, "the figure is left out"));
    wire_execution_clear(&answer);
    run_clear(&run);
}

static void streams_are_cut_in_characters(void **state)
{
    (void)state;
    struct answer_options options = {.stream_characters_max = 2};
    struct run run = finished(DISPLAY_NOTHING, "");
    capture_append(&run.output,
                   "\xE2\x82\xAC"
                   "1234",
                   7);
    struct wire_execution answer = {0};
    answer_fill(&run, &options, &answer);
    assert_string_equal(answer.standard_output, "\xE2\x82\xAC"
                                                "1");
    assert_int_equal(answer.standard_output_length, 4);
    wire_execution_clear(&answer);
    run_clear(&run);
}

static void one_sentence_tells_that_the_network_ended_it(void **state)
{
    (void)state;
    struct run run = finished(DISPLAY_NOTHING, "");
    run.done.succeeded = false;
    run.refusals.network_ended_it = true;
    capture_append(&run.output, "kept", 4);
    capture_append(&run.errors, "gaierror: no", 12);
    check_errors(run,
                 "gaierror: no\nnetwork is disabled in this session; do not retry; ask for the "
                 "data as a file\n");
}

static void check_hint(struct pool_egress egress, uint32_t number, const char *expected)
{
    struct run run = ended(RUN_FINISHED, "OSError: no", "");
    run.done = (struct done_message){0};
    run.result_total = run.result.length = 0;
    run.egress = egress;
    run.refusals.network_ended_it = true;
    run.refusals.network_error = number;
    check_errors(run, expected);
}

static void where_the_rules_of_a_network_ended_it_the_sentence_is_about_them(void **state)
{
    (void)state;
    struct pool_egress egress = {.enabled = true, .names = true};
    check_hint(egress, EHOSTUNREACH,
               "OSError: no\nnetwork access of this session is limited to public IPv4 addresses; "
               "do not retry; ask for the data as a file\n");
    egress.range_count = 2;
    egress.ranges[0] = (struct address_range){0xcb007100, 24};
    egress.ranges[1] = (struct address_range){0x0a010107, 32};
    check_hint(
        egress, EHOSTUNREACH,
        "OSError: no\nnetwork access of this session is limited to 203.0.113.0/24, 10.1.1.7; "
        "do not retry; ask for the data as a file\n");
    egress.range_count = 32;
    check_hint(
        egress, EHOSTUNREACH,
        "OSError: no\nnetwork access of this session is limited to 203.0.113.0/24, 10.1.1.7, "
        "0.0.0.0/0, 0.0.0.0/0 and 28 more ranges; do not retry; ask for the data as a "
        "file\n");
    check_hint(egress, ENETUNREACH, "OSError: no\n");
    check_hint(egress, 0, "OSError: no\n");
    egress.names = false;
    check_hint(
        egress, 0,
        "OSError: no\nhost names are not resolved in this session; do not retry; ask for the "
        "data as a file\n");
}

static void refusals_are_told_to_those_who_take_them(void **state)
{
    (void)state;
    static const char lines[] = "network\texample.com\t443\t1\t<cell 1>\t3\n"
                                "file\t/etc/x\t30\t1\t\t0\nprocess\tos.kill\t9999\t1\t\t0\n";
    static const uint64_t arguments[REFUSAL_ARGUMENTS] = {1, 2};
    struct run run = finished(DISPLAY_NOTHING, "");
    refusals_add_call(&run.refusals, 4096, arguments);
    assert_int_equal(refusals_read(&run.refusals, (const uint8_t *)lines, sizeof lines - 1, NULL),
                     0);
    struct wire_execution answer = {0};
    answer_fill(&run, &plain, &answer);
    assert_int_equal(answer.refusal_count, 0);
    wire_execution_clear(&answer);

    struct answer_options options = plain;
    options.with_refusals = true;
    answer_fill(&run, &options, &answer);
    assert_int_equal(answer.refusal_count, 4);
    assert_string_equal(answer.refusals[0].subject, "call-4096");
    assert_int_equal(answer.refusals[0].arguments[1], 2);
    assert_int_equal(answer.refusals[1].port, 443);
    assert_null(answer.refusals[1].error);
    assert_string_equal(answer.refusals[2].error, "EROFS");
    assert_null(answer.refusals[2].file);
    assert_string_equal(answer.refusals[3].error, "9999");
    wire_execution_clear(&answer);
    run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_the_version),
        cmocka_unit_test(bad_ends_use_the_words_of_the_service),
        cmocka_unit_test(a_value_beyond_the_limit_is_text_and_a_figure_is_dropped),
        cmocka_unit_test(streams_are_cut_in_characters),
        cmocka_unit_test(one_sentence_tells_that_the_network_ended_it),
        cmocka_unit_test(where_the_rules_of_a_network_ended_it_the_sentence_is_about_them),
        cmocka_unit_test(refusals_are_told_to_those_who_take_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
