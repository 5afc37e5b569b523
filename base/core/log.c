#include "base/core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 2048 };

static enum log_level least_level = LOG_INFO;
static const char *process_name = "sandpool";

void log_set_level(enum log_level level)
{
    least_level = level;
}

void log_set_process(const char *name)
{
    process_name = name;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if (level < least_level)
        return;

    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm tm;
    gmtime_r(&now.tv_sec, &tm);

    char line[LOG_LINE_MAX];
    size_t length = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%S", &tm);
    length += (size_t)snprintf(line + length, sizeof line - length,
                               ".%03dZ level=%s process=%s event=%s ", (int)(now.tv_nsec / 1000000),
                               names[level], process_name, event);

    va_list args;
    va_start(args, format);
    int added = vsnprintf(line + length, sizeof line - length - 1, format, args);
    va_end(args);
    if (added > 0)
        length += (size_t)added;
    if (length > sizeof line - 2)
        length = sizeof line - 2;

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = '?';
    }
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0) {
        /* the log is gone; the work goes on */
    }
}
