#include "sandboxd/link/execution_log.h"

#include <string.h>

void execution_log_add(struct execution_log *log, struct logged_execution *entry)
{
    entry->log = log;
    entry->previous = log->last;
    entry->next = NULL;
    if (log->last)
        log->last->next = entry;
    else
        log->first = entry;
    log->last = entry;
}

struct logged_execution *execution_log_find(const struct execution_log *log, const char *id)
{
    for (struct logged_execution *entry = log->last; entry; entry = entry->previous) {
        if (strcmp(entry->id, id) == 0)
            return entry;
    }
    return NULL;
}

void execution_log_remove(struct logged_execution *entry)
{
    struct execution_log *log = entry->log;
    if (!log)
        return;
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        log->first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    else
        log->last = entry->previous;
    if (entry->is_over) {
        log->over_count--;
        log->over_bytes -= entry->bytes;
    }
    entry->log = NULL;
}

static void drop(struct logged_execution *entry)
{
    execution_log_remove(entry);
    entry->on_dropped(entry->self);
}

void execution_log_settle(struct logged_execution *entry, size_t bytes)
{
    struct execution_log *log = entry->log;
    entry->is_over = true;
    entry->bytes = bytes;
    if (!log) {
        entry->on_dropped(entry->self);
        return;
    }
    log->over_count++;
    log->over_bytes += bytes;
    for (struct logged_execution *old = log->first, *next; old; old = next) {
        next = old->next;
        if (log->over_count <= EXECUTION_LOG_KEPT_MAX && log->over_bytes <= EXECUTION_LOG_BYTES_MAX)
            return;
        if (old->is_over && old != entry)
            drop(old);
    }
}

void execution_log_clear(struct execution_log *log)
{
    while (log->first) {
        if (log->first->is_over)
            drop(log->first);
        else
            execution_log_remove(log->first);
    }
}
