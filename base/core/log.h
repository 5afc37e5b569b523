/* log: one event per line on standard error, key=value.
 *
 *     log_info("session.started", "pool=%s session=s-%u wall_ms=%d", ...);
 *
 * Control characters in values become "?", so that nobody can forge a line. Code, file contents and
 * tokens are never passed in.
 */
#pragma once

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Events below this level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);

/* Shown as process=NAME in every line. NAME is borrowed for the life of the process. */
void log_set_process(const char *name);

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...)   log_event(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)    log_event(LOG_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_event(LOG_WARNING, event, __VA_ARGS__)
#define log_error(event, ...)   log_event(LOG_ERROR, event, __VA_ARGS__)
