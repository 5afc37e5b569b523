#include "sandboxd/doctor/report.h"

#include <stdio.h>
#include <string.h>

#include "base/json/writer.h"

static const char *const state_words[] = {
    [FINDING_PRESENT] = "present",
    [FINDING_DEGRADED] = "degraded",
    [FINDING_ABSENT] = "absent",
};

static const char *const need_words[] = {
    [PROBE_MANDATORY] = "mandatory",
    [PROBE_OPTIONAL] = "optional",
    [PROBE_INFORMATIVE] = "informative",
};

static enum probe_need need_of(size_t i)
{
    enum layer layer;
    return probe_need(&probes[i], &layer);
}

static bool is_there(const struct report *report, size_t i)
{
    return report->findings[i].state == FINDING_PRESENT;
}

/* An optional layer that the daemon was told to do without. */
static bool is_given_up(const struct report *report, size_t i)
{
    enum layer layer;
    return probe_need(&probes[i], &layer) == PROBE_OPTIONAL &&
           report->allowed_missing & 1U << layer;
}

/* What is degraded stops nothing. */
static bool must_be_given_up(const struct report *report, size_t i)
{
    return need_of(i) == PROBE_OPTIONAL && report->findings[i].state == FINDING_ABSENT;
}

enum report_verdict report_judge(const struct report *report)
{
    enum report_verdict verdict = REPORT_COMPLETE;
    for (size_t i = 0; i < PROBES; i++) {
        if (is_there(report, i) || is_given_up(report, i) || need_of(i) == PROBE_INFORMATIVE)
            continue;
        if (need_of(i) == PROBE_MANDATORY && report->findings[i].state == FINDING_ABSENT)
            return REPORT_REFUSED;
        verdict = REPORT_LACKING;
    }
    return verdict;
}

/* The options without which it would not start; "" when none. */
static void write_options(const struct report *report, struct buf *out)
{
    for (size_t i = 0; i < PROBES; i++) {
        if (must_be_given_up(report, i))
            buf_printf(out, " --allow-missing %s", probes[i].name);
    }
}

static void find_remedy(const struct report *report, size_t i, char ret_text[REMEDY_TEXT_MAX])
{
    const struct finding *finding = &report->findings[i];
    remedy_find(finding->step, finding->number, &report->facts, ret_text);
}

static bool needs_remedy(const struct report *report, size_t i)
{
    return !is_there(report, i) && need_of(i) != PROBE_INFORMATIVE;
}

void report_write_refusal(const struct report *report, struct buf *out)
{
    char remedy[REMEDY_TEXT_MAX];
    for (size_t i = 0; i < PROBES; i++) {
        if (need_of(i) != PROBE_MANDATORY || report->findings[i].state != FINDING_ABSENT)
            continue;
        find_remedy(report, i, remedy);
        buf_printf(out, "the layer \"%s\" is missing: %s. %s", probes[i].name,
                   report->findings[i].text, remedy);
        return;
    }
}

/* ---- for people ---- */

/* One cause has many symptoms: each remedy once, with all that it is for. */
static void write_remedies(const struct report *report, struct buf *out)
{
    char remedies[PROBES][REMEDY_TEXT_MAX] = {0};
    for (size_t i = 0; i < PROBES; i++) {
        if (needs_remedy(report, i))
            find_remedy(report, i, remedies[i]);
    }
    for (size_t i = 0; i < PROBES; i++) {
        if (!*remedies[i])
            continue;
        buf_printf(out, "\n%s", probes[i].name);
        for (size_t k = i + 1; k < PROBES; k++) {
            if (strcmp(remedies[i], remedies[k]) != 0)
                continue;
            buf_printf(out, ", %s", probes[k].name);
            *remedies[k] = '\0';
        }
        buf_printf(out, ":\n    %s\n", remedies[i]);
    }
}

void report_write_text(const struct report *report, struct buf *out)
{
    static const char line[] = "%-19s  %-11s  %-8s  %s\n";
    buf_printf(out, line, "layer", "need", "state", "found, or the reason");
    for (size_t i = 0; i < PROBES; i++)
        buf_printf(out, line, probes[i].name, need_words[need_of(i)],
                   state_words[report->findings[i].state], report->findings[i].text);
    write_remedies(report, out);
    buf_append_text(out, "\nsandboxd would start: ");
    if (report_judge(report) == REPORT_REFUSED) {
        buf_append_text(out, "no\n");
        return;
    }
    AUTO_BUF struct buf options = {0};
    write_options(report, &options);
    buf_printf(out, "yes, %s", outer_words(report->ids));
    if (options.length)
        buf_printf(out, ", with%s", options.data);
    buf_append_text(out, "\n");
}

/* ---- for programs ---- */

static void write_layer(const struct report *report, size_t i, struct writer *writer)
{
    char remedy[REMEDY_TEXT_MAX];
    writer_open_object(writer, NULL);
    writer_string(writer, "name", probes[i].name);
    writer_string(writer, "need", need_words[need_of(i)]);
    writer_string(writer, "state", state_words[report->findings[i].state]);
    writer_string(writer, is_there(report, i) ? "detail" : "reason", report->findings[i].text);
    if (needs_remedy(report, i)) {
        find_remedy(report, i, remedy);
        writer_string(writer, "remedy", remedy);
    }
    writer_close_object(writer);
}

int report_write_json(const struct report *report, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, false);
    bool refused = report_judge(report) == REPORT_REFUSED;
    writer_open_object(&writer, NULL);
    writer_boolean(&writer, "wouldStart", !refused);
    writer_string(&writer, "starts", refused ? "not" : outer_name(report->ids));
    writer_open_array(&writer, "allowMissing");
    for (size_t i = 0; !refused && i < PROBES; i++) {
        if (must_be_given_up(report, i))
            writer_string(&writer, NULL, probes[i].name);
    }
    writer_close_array(&writer);
    writer_open_array(&writer, "layers");
    for (size_t i = 0; i < PROBES; i++)
        write_layer(report, i, &writer);
    writer_close_array(&writer);
    writer_close_object(&writer);
    if (writer_finish(&writer, err) < 0)
        return -1;
    buf_append_text(out, "\n");
    return 0;
}
