/* error: the one shape of failure.
 *
 * A struct error belongs to the caller and sits on its stack. A function that can fail returns 0,
 * or -1 with *err filled; each layer may add one word of context in front.
 */
#pragma once

/* What the caller should do about it. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,  /* the input is wrong: tell whoever sent it */
    ERROR_DENIED,   /* not allowed */
    ERROR_MISSING,  /* the thing is not there (any more) */
    ERROR_CONFLICT, /* the thing is in another state than needed */
    ERROR_LIMIT,    /* a named limit is reached */
    ERROR_TIMEOUT,  /* it took too long */
    ERROR_SYSTEM,   /* the kernel, a library or a peer process failed */
};

enum { ERROR_MESSAGE_MAX = 512 };

struct error {
    enum error_code code;
    int number; /* errno, or 0 */
    char message[ERROR_MESSAGE_MAX];
};

/* All three return -1, so that a caller can write `return error_set(...)`. err may be NULL. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The code is derived from errno; ": <strerror>" is appended to the message. */
int error_from_errno(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the message. */
int error_add_context(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
