/* loop: one epoll descriptor, timers by a clock that is passed in, one thread.
 *
 * Watches, timers and preparations are embedded in the caller's structs and never allocated here.
 * Callbacks may start, change and stop any watch or timer, their own included.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/core/clock.h"
#include "base/core/error.h"

struct loop;

/* A descriptor being waited for. Zeroed means inactive. The descriptor stays the caller's. */
struct watch {
    int fd;
    bool active;
    uint32_t events;
    void (*on_ready)(void *self, uint32_t events);
    void *self;
};

/* A point in time being waited for. Zeroed means inactive. */
struct timer {
    bool active;
    size_t index; /* its place in the loop's heap */
    int64_t at_ms;
    void (*on_time)(void *self);
    void *self;
};

/* What must happen before each wait, for libraries that keep timers of their own. Zeroed means
 * inactive. */
struct preparation {
    struct preparation *next;
    struct preparation **link; /* what points here; NULL: inactive */
    int (*on_prepare)(void *self);
    void *self;
};

/* returned; NULL with *err set when the kernel has no epoll descriptor left */
struct loop *loop_create(struct clock clock, struct error *err);
void loop_destroy(struct loop *loop);

int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events,
               void (*on_ready)(void *self, uint32_t events), void *self, struct error *err);
/* EPOLLIN, EPOLLOUT or 0, which keeps the registration and reports hang-ups only. */
void loop_change(struct loop *loop, struct watch *watch, uint32_t events);
/* Call before the descriptor is closed. Harmless on an inactive watch. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* Starts or moves the timer. */
void loop_start_timer(struct loop *loop, struct timer *timer, int64_t at_ms,
                      void (*on_time)(void *self), void *self);
void loop_start_timer_in(struct loop *loop, struct timer *timer, int64_t after_ms,
                         void (*on_time)(void *self), void *self);
void loop_stop_timer(struct loop *loop, struct timer *timer);

/* on_prepare runs before each wait; it returns the most milliseconds to wait, or -1 for "as long as
 * you like". It must not add or remove preparations. */
void loop_add_preparation(struct loop *loop, struct preparation *preparation,
                          int (*on_prepare)(void *self), void *self);
/* Harmless on one that was not added. */
void loop_remove_preparation(struct loop *loop, struct preparation *preparation);

int64_t loop_now_ms(struct loop *loop);
/* When the next timer is due; false when there is none. For clocks that skip waits. */
bool loop_next_timer(const struct loop *loop, int64_t *ret_at_ms);

/* Waits at most wait_ms (-1: until something happens), then calls what is due. */
int loop_run_once(struct loop *loop, int wait_ms, struct error *err);
/* Until loop_stop. */
int loop_run(struct loop *loop, struct error *err);
void loop_stop(struct loop *loop);
