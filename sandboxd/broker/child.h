/* child: a process of the broker's, and the channel to it.
 *
 * Front, zygotes, shells and networks of sessions are started, interpreters are adopted from their
 * zygote. Each is held by a pidfd from birth to reaping. A zeroed struct is no process.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "base/core/loop.h"
#include "sandboxd/broker/spawn.h"

struct broker;

enum { CHILD_SEND_MS = 5000 }; /* what one may take before it reads; then it is ended */

struct child {
    pid_t pid;      /* 0: there is none, and all but `self` and the callbacks means nothing */
    bool ending;    /* has ended or been killed: nothing more is asked of it */
    int channel_fd; /* -1: there is none, or nothing more to say */
    int pid_fd;
    struct broker *broker;
    LIST_ENTRY(child) siblings;
    struct watch channel_watch, exit_watch;
    int descriptors_max; /* of one frame from it */
    /* A frame is in broker->message. NULL: it has nothing to say. */
    void (*on_frame)(void *self);
    /* It has been reaped, after its last frame: status as wait(2) gives it. The struct is free. */
    void (*on_exit)(void *self, int status);
    void *self;
};

/* Starts a program with a channel to us as its descriptor 3, and those of `program` behind it. The
 * caller has set the last four. */
int child_start(struct broker *broker, struct child *child, const struct spawn *program,
                struct error *err);
/* The same with one that somebody else has started for us, without a channel. pid_fd is taken. */
int child_adopt(struct broker *broker, struct child *child, pid_t pid, int pid_fd,
                struct error *err);
/* Harmless when there is none. */
void child_signal(struct child *child, int signal);

/* Reaps children that are nobody's, unless a join is on its way: interpreters whose zygote died
 * before it could tell, the janitor. Unreaped, they would keep a session's PID 1 from ending. */
void child_reap_strangers(struct broker *broker);
