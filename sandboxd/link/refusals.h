/* refusals: what a session was not allowed to do while one execution ran, for people and models.
 *
 * Calls are the kernel's word, passed on by the broker. The rest is the interpreter's, that is the
 * guest's: bounded here, believed by nobody. docs/api.md, "What was refused".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    /* Different ones of one execution; what comes later is not kept (docs/api.md, "Limits"). */
    REFUSALS_MAX = 32,
    REFUSAL_TEXT_MAX = 255, /* of a path or a host; as the DNS has it */
    REFUSAL_ARGUMENTS = 6,  /* of a system call */
};

enum refusal_kind {
    REFUSAL_CALL,    /* a system call: `number`, `arguments` */
    REFUSAL_NETWORK, /* `subject` is a host, `number` a port or 0 */
    REFUSAL_FILE,    /* `subject` is a path, `number` an errno */
    REFUSAL_PROCESS, /* `subject` is an operation such as "os.kill", `number` an errno */
    REFUSAL_KINDS,
};

struct refusal {
    enum refusal_kind kind;
    uint32_t number;
    uint64_t count;                        /* how often */
    uint64_t arguments[REFUSAL_ARGUMENTS]; /* of the first */
    char subject[REFUSAL_TEXT_MAX + 1];    /* any bytes but control characters */
    char file[REFUSAL_TEXT_MAX + 1];       /* of the guest's code; "" for calls */
    uint32_t line;
};

/* Zeroed: none. */
struct refusals {
    struct refusal *items; /* NULL while there is none */
    size_t count;
    bool network_ended_it;  /* the execution failed because it reached no host */
    uint32_t network_error; /* the errno that said so; 0: a name, or not known */
};

void refusals_clear(struct refusals *refusals);

void refusals_add_call(struct refusals *refusals, uint32_t number,
                       const uint64_t arguments[REFUSAL_ARGUMENTS]);

/* Adds what an interpreter tells: lines of kind, subject, number, count, file and line number, each
 * but the last followed by a tab. Kinds are "network", "file" and "process"; "ended" with the
 * subject "network" sets network_ended_it, and its number network_error. Any other form is
 * ERROR_INVALID. */
int refusals_read(struct refusals *refusals, const uint8_t *data, size_t length, struct error *err);

/* For sessions with a network: there, reaching for a host is an attempt, not a refusal. */
void refusals_forget_network(struct refusals *refusals);
