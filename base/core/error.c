#include "base/core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum error_code code_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ESRCH:
        return ERROR_MISSING;
    case EACCES:
    case EPERM:
        return ERROR_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ERROR_LIMIT;
    default:
        return ERROR_SYSTEM;
    }
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (!err)
        return -1;

    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);

    err->code = code;
    err->number = 0;
    return -1;
}

int error_from_errno(struct error *err, const char *format, ...)
{
    int number = errno;
    if (!err)
        return -1;

    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);

    if (length >= 0 && (size_t)length < sizeof err->message)
        snprintf(err->message + length, sizeof err->message - (size_t)length, ": %s",
                 strerror(number));
    err->code = code_of_errno(number);
    err->number = number;
    return -1;
}

int error_add_context(struct error *err, const char *format, ...)
{
    if (!err)
        return -1;

    char inner[ERROR_MESSAGE_MAX];
    memcpy(inner, err->message, sizeof inner);

    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);

    /* What does not fit is cut off at the end. */
    if (length >= 0 && (size_t)length < sizeof err->message - 3) {
        char *end = err->message + length;
        size_t room = sizeof err->message - (size_t)length - 3;
        size_t kept = strnlen(inner, room);
        memcpy(end, ": ", 2);
        memcpy(end + 2, inner, kept);
        end[2 + kept] = '\0';
    }
    return -1;
}
