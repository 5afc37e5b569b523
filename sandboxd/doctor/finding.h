/* finding: what one probe has learned about one layer. */
#pragma once

#include "base/core/error.h"
#include "sandboxd/remedy/remedy.h"

enum finding_state { FINDING_PRESENT, FINDING_DEGRADED, FINDING_ABSENT };

enum { FINDING_TEXT_MAX = ERROR_MESSAGE_MAX };

struct finding {
    enum finding_state state;
    enum remedy_step step;       /* that was tried last */
    int number;                  /* errno of that step, or 0 */
    char text[FINDING_TEXT_MAX]; /* what is there; or the reason why not, or not wholly */
};

/* Write the text; finding_degrade says that the layer works in part only. */
void finding_describe(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_degrade(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
