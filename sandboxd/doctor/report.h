/* report: what doctor has found, for people and for programs. */
#pragma once

#include <stdint.h>

#include "base/core/buf.h"
#include "sandboxd/doctor/probes.h"

struct report {
    enum outer_ids ids;
    struct finding findings[PROBES]; /* in the order of probes */
    uint32_t allowed_missing;        /* bits of enum layer */
    struct remedy_facts facts;
};

/* Exit statuses: of a machine that has everything, that lacks something without which sandboxd
 * starts, at least when told to, and of one where it does not start. */
enum report_verdict { REPORT_COMPLETE = 0, REPORT_LACKING = 1, REPORT_REFUSED = 2 };
enum report_verdict report_judge(const struct report *report);

/* One sentence of what keeps the daemon from starting; nothing when it would start. */
void report_write_refusal(const struct report *report, struct buf *out);

void report_write_text(const struct report *report, struct buf *out);
int report_write_json(const struct report *report, struct buf *out, struct error *err);
