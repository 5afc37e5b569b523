/* cleanup: resources that release themselves when they leave scope, and allocation that cannot fail
 * quietly.
 *
 *     AUTO_CLOSE int fd = open(...);        closed at the end of the scope
 *     AUTO_FREE char *text = ...;           freed at the end of the scope
 *     AUTO(session) struct session *s = ..; session_destroy(s) at the end of the scope
 *     return TAKE(s);                       ownership leaves the scope
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))
#define AUTO_FREE  __attribute__((cleanup(cleanup_free)))

/* AUTO(thing) needs DEFINE_AUTO(thing) once, beside thing_destroy. */
#define AUTO(name) __attribute__((cleanup(cleanup_##name)))
#define DEFINE_AUTO(name)                                                                          \
    static inline void cleanup_##name(struct name **pointer)                                       \
    {                                                                                              \
        name##_destroy(*pointer);                                                                  \
    }

#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

/* Closes *fd if it is open and sets it to -1. */
static inline void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* For small sizes that we choose ourselves: end the process with a message when memory is out.
 * Sizes that a peer chooses are compared with a named limit first. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
