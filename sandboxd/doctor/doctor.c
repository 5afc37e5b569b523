#include "sandboxd/doctor/doctor.h"

#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/core/cleanup.h"
#include "sandboxd/doctor/report.h"

enum { DOCTOR_BYTES_MAX = 64 * 1024 };

enum { OPTION_JSON = 'j', OPTION_ALLOW_MISSING = 256, OPTION_FOR_START };

struct doctor_options {
    bool json;
    bool for_start;
    uint32_t allowed_missing;
};

static const struct argp_option option_table[] = {
    {"json", OPTION_JSON, NULL, 0, "for programs instead of people", 0},
    {"allow-missing", OPTION_ALLOW_MISSING, "LAYER", 0,
     "judge as sandboxd would with the same option; may be repeated", 0},
    {"for-start", OPTION_FOR_START, NULL, OPTION_HIDDEN, "what sandboxd asks when it starts", 0},
    {0},
};

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct doctor_options *options = state->input;
    struct error err = {0};
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_FOR_START:
        options->for_start = true;
        return 0;
    case OPTION_ALLOW_MISSING:
        if (layer_allow(value, &options->allowed_missing, &err) < 0)
            argp_error(state, "%s", err.message);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unknown argument: %s", value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void examine(const struct doctor_options *options, struct report *ret_report)
{
    AUTO_CLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int lock_fd = -1; /* of the ids, until all is tried */
    struct outer outer;
    outer_find(&outer, &lock_fd);
    ret_report->ids = outer.ids;
    ret_report->allowed_missing = options->allowed_missing;
    facts_read(root_fd, &ret_report->facts);
    for (size_t i = 0; i < PROBES; i++) {
        enum layer layer;
        /* What may be missing, sandboxd itself looks at. */
        if (!options->for_start || probe_need(&probes[i], &layer) == PROBE_MANDATORY)
            probe_run(&probes[i], &outer, &ret_report->findings[i]);
    }
}

int doctor_run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table,
        on_option,
        NULL,
        "Tries every layer of the isolation on this machine, as sandboxd would use it, and says "
        "what is present, what is not, why, and what changes that."
        "\vExit status: 0 when everything is there; 1 when something is missing or degraded "
        "without which sandboxd starts, at least with --allow-missing; 2 when it would not start; "
        "64 when the arguments are wrong. Changes nothing. Run it as the user who is to start "
        "sandboxd.",
        NULL,
        NULL,
        NULL};
    static struct report report;
    struct doctor_options options = {0};
    AUTO_BUF struct buf out = {.limit = DOCTOR_BYTES_MAX};
    struct error err = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    examine(&options, &report);
    if (options.for_start) {
        report_write_refusal(&report, &out);
        if (out.length > 0)
            fprintf(stderr, "sandboxd: %s\n", out.data);
        return out.length > 0 ? EX_UNAVAILABLE : 0;
    }
    if (!options.json)
        report_write_text(&report, &out);
    else if (report_write_json(&report, &out, &err) < 0) {
        fprintf(stderr, "sandboxd doctor: %s\n", err.message);
        return EX_SOFTWARE;
    }
    fputs(out.data, stdout);
    return (int)report_judge(&report);
}
