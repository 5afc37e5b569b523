#include "base/core/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/core/cleanup.h"

enum { LOOP_EVENTS_MAX = 64 };

struct loop {
    int epoll_fd;
    struct clock clock;
    bool stopped;

    struct timer **heap; /* the earliest first */
    size_t timers;
    size_t capacity;

    struct epoll_event *current; /* the batch being dispatched: stopped watches are taken out */
    int current_count;

    struct preparation *preparations;
};

struct loop *loop_create(struct clock clock, struct error *err)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        error_from_errno(err, "epoll_create1");
        return NULL;
    }
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->epoll_fd = fd;
    loop->clock = clock;
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    close(loop->epoll_fd);
    free(loop->heap);
    free(loop);
}

int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events,
               void (*on_ready)(void *self, uint32_t events), void *self, struct error *err)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_from_errno(err, "epoll_ctl");
    *watch = (struct watch){
        .fd = fd, .active = true, .events = events, .on_ready = on_ready, .self = self};
    return 0;
}

void loop_change(struct loop *loop, struct watch *watch, uint32_t events)
{
    if (!watch->active || watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    watch->events = events;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (!watch->active)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->active = false;
    for (int i = 0; i < loop->current_count; i++) {
        if (loop->current[i].data.ptr == watch)
            loop->current[i].data.ptr = NULL;
    }
}

static void heap_put(struct loop *loop, size_t index, struct timer *timer)
{
    loop->heap[index] = timer;
    timer->index = index;
}

static void heap_rise(struct loop *loop, struct timer *timer)
{
    size_t i = timer->index;
    while (i > 0 && loop->heap[(i - 1) / 2]->at_ms > timer->at_ms) {
        heap_put(loop, i, loop->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(loop, i, timer);
}

static void heap_sink(struct loop *loop, struct timer *timer)
{
    size_t i = timer->index;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= loop->timers)
            break;
        if (child + 1 < loop->timers && loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms)
            child++;
        if (loop->heap[child]->at_ms >= timer->at_ms)
            break;
        heap_put(loop, i, loop->heap[child]);
        i = child;
    }
    heap_put(loop, i, timer);
}

void loop_start_timer(struct loop *loop, struct timer *timer, int64_t at_ms,
                      void (*on_time)(void *self), void *self)
{
    timer->on_time = on_time;
    timer->self = self;
    timer->at_ms = at_ms;
    if (!timer->active) {
        if (loop->timers == loop->capacity) {
            loop->capacity = loop->capacity ? 2 * loop->capacity : 64;
            loop->heap = xrealloc(loop->heap, loop->capacity * sizeof *loop->heap);
        }
        timer->active = true;
        heap_put(loop, loop->timers++, timer);
    }
    heap_rise(loop, timer);
    heap_sink(loop, timer);
}

void loop_start_timer_in(struct loop *loop, struct timer *timer, int64_t after_ms,
                         void (*on_time)(void *self), void *self)
{
    loop_start_timer(loop, timer, loop_now_ms(loop) + after_ms, on_time, self);
}

void loop_stop_timer(struct loop *loop, struct timer *timer)
{
    if (!timer->active)
        return;
    timer->active = false;
    struct timer *last = loop->heap[--loop->timers];
    if (last == timer)
        return;
    heap_put(loop, timer->index, last);
    heap_rise(loop, last);
    heap_sink(loop, last);
}

void loop_add_preparation(struct loop *loop, struct preparation *preparation,
                          int (*on_prepare)(void *self), void *self)
{
    *preparation = (struct preparation){
        .next = loop->preparations,
        .link = &loop->preparations,
        .on_prepare = on_prepare,
        .self = self,
    };
    if (preparation->next)
        preparation->next->link = &preparation->next;
    loop->preparations = preparation;
}

void loop_remove_preparation(struct loop *loop, struct preparation *preparation)
{
    (void)loop;
    if (!preparation->link)
        return;
    *preparation->link = preparation->next;
    if (preparation->next)
        preparation->next->link = preparation->link;
    *preparation = (struct preparation){0};
}

int64_t loop_now_ms(struct loop *loop)
{
    return clock_now_ms(&loop->clock);
}

bool loop_next_timer(const struct loop *loop, int64_t *ret_at_ms)
{
    if (loop->timers == 0)
        return false;
    *ret_at_ms = loop->heap[0]->at_ms;
    return true;
}

static int bounded_wait(struct loop *loop, int wait_ms)
{
    for (struct preparation *p = loop->preparations; p; p = p->next) {
        int most = p->on_prepare(p->self);
        if (most >= 0 && (wait_ms < 0 || most < wait_ms))
            wait_ms = most;
    }
    if (loop->timers > 0) {
        int64_t left = loop->heap[0]->at_ms - loop_now_ms(loop);
        if (left < 0)
            left = 0;
        if (wait_ms < 0 || left < wait_ms)
            wait_ms = left > 3600000 ? 3600000 : (int)left;
    }
    return wait_ms;
}

static void run_timers(struct loop *loop)
{
    int64_t now_ms = loop_now_ms(loop);
    while (loop->timers > 0 && loop->heap[0]->at_ms <= now_ms) {
        struct timer *timer = loop->heap[0];
        loop_stop_timer(loop, timer);
        timer->on_time(timer->self);
    }
}

int loop_run_once(struct loop *loop, int wait_ms, struct error *err)
{
    struct epoll_event events[LOOP_EVENTS_MAX];
    int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, bounded_wait(loop, wait_ms));
    if (count < 0 && errno != EINTR)
        return error_from_errno(err, "epoll_wait");

    loop->current = events;
    loop->current_count = count > 0 ? count : 0;
    for (int i = 0; i < loop->current_count; i++) {
        struct watch *watch = events[i].data.ptr;
        if (watch)
            watch->on_ready(watch->self, events[i].events);
    }
    loop->current_count = 0;

    run_timers(loop);
    return 0;
}

int loop_run(struct loop *loop, struct error *err)
{
    loop->stopped = false;
    while (!loop->stopped) {
        if (loop_run_once(loop, -1, err) < 0)
            return -1;
    }
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
