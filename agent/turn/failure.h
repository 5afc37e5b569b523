/* failure: what kind of failure an execution was, told from what it wrote.
 *
 * Pure. Everything that is read here is hostile text: the worst it can do is to be put into the
 * wrong row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json/wire.h"

enum failure_kind {
    FAILURE_NONE,
    FAILURE_NETWORK, /* it tried to reach a host, whether or not it caught the exception */
    FAILURE_PACKAGE, /* a module is missing, or pip was asked to fetch one */
    FAILURE_TIMEOUT,
    FAILURE_MEMORY,
    FAILURE_CRASH, /* the interpreter ended */
    FAILURE_SYNTAX,
    FAILURE_OTHER, /* any other exception */
    FAILURE_KINDS,
};

enum { FAILURE_MODULE_BYTES_MAX = 64 };
struct failure {
    enum failure_kind kind;
    char module[FAILURE_MODULE_BYTES_MAX]; /* PACKAGE: a plain module name, or "" */
    bool network_is_closed;                /* NETWORK: the sandbox itself says so */
    bool interpreter_is_gone;              /* with all variables; files stay */
    uint64_t signature;                    /* the same for the same error */
};

/* code is what ran. */
struct failure failure_read(const struct wire_execution *execution, const char *code);

/* "network", "missing package" ...: static. */
const char *failure_name(enum failure_kind kind);

/* The same for programs that differ in comment lines, blank lines and the number of blanks only,
 * where those at the start of a line count. Not for use against somebody who looks for collisions:
 * a repeat is then let through, or refused, and nothing worse. */
uint64_t failure_fingerprint(const char *code, size_t length);
