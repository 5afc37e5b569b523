/* internal: what the broker's files share. broker.c runs the processes, session.c the sessions,
 * join.c their interpreters. */
#pragma once

#include <sys/types.h>

#include "base/core/clock.h"
#include "sandboxd/broker/broker.h"
#include "sandboxd/control/channel.h"

enum {
    BROKER_BUCKETS = 1024,
    BROKER_SLOTS = 32000,  /* pairs of ids in the outer namespace */
    BROKER_JOINS_MAX = 16, /* joins asked of the zygote and not answered yet */
    BROKER_SEND_MS = 5000, /* what a peer may take before it reads; then it is ended */
};

/* A process of the daemon that the broker talks to: the front or the zygote. */
struct peer {
    pid_t pid;
    int pid_fd;
    int channel_fd;
    bool ready;   /* may be spoken to; the front: has said something */
    bool started; /* has been ready once */
    struct watch channel_watch;
    struct watch exit_watch;
};

enum session_state {
    SESSION_SHELL_STARTING,
    SESSION_WAITING,  /* for its turn to join */
    SESSION_JOINING,  /* the zygote has been asked */
    SESSION_RUNNING,  /* an interpreter is there */
    SESSION_SWEEPING, /* the interpreter has ended, what it left is being killed */
    SESSION_EMPTY,    /* no interpreter */
    SESSION_ENDING,   /* everything is being killed */
};

struct session {
    struct broker *broker;
    struct session *next_in_bucket;
    struct session *next_waiting;
    uint64_t number;
    uint32_t slot;
    enum session_state state;
    bool join_asked; /* the zygote owes an answer */
    bool failed;     /* the end is told as SESSION_FAILED */
    bool announced;  /* the front knows its descriptors */
    bool collecting; /* the shell has been asked for the front's descriptors */
    char failure[RESULT_TEXT_MAX];
    struct session_plan_message plan;
    unsigned sweeps_owed; /* SHELL_KILL frames that the shell has not answered */
    uint64_t memory_kills;
    int interpreter_status;
    pid_t shell_pid, interpreter_pid;
    int shell_pid_fd, command_fd, interpreter_pid_fd;
    int file_front_fd; /* until the shell keeps it */
    int front_fds[3];  /* interpreter channel, stdout, stderr: while joining */
    struct watch shell_exit, interpreter_exit, command;
    uint8_t blob[SESSION_BLOB_MAX];
    size_t blob_length; /* 0: not given to anybody yet */
};

struct broker {
    struct broker_options options;
    struct loop *loop;
    struct peer front, zygote;
    struct session *buckets[BROKER_BUCKETS];
    unsigned session_count;
    unsigned joins_asked;
    unsigned collecting; /* sessions whose descriptors a new front waits for */
    struct session *waiting_first, *waiting_last;
    uint32_t *free_slots;
    uint32_t free_slot_count;
    uint64_t next_number;
    bool greeted; /* the front has had its HELLO */
    bool stopping;
    int exit_status;
    struct watch signal_watch;
    struct timer restart_timer, stop_timer;
    unsigned front_deaths; /* since it last answered for a while */
    unsigned zygote_deaths;
    int64_t zygote_started_ms;
    int64_t front_started_ms;
    uint8_t image[FRAME_PAYLOAD_MAX];
    size_t image_length; /* 0: no zygote has been ready yet */
    struct channel_message message;
};

/* ---- session.c ---- */
void session_table_start(struct broker *broker);
struct session *session_find(struct broker *broker, uint64_t number);
/* A frame of the front about a session. */
void session_handle_front(struct broker *broker, struct channel_message *message);
/* A new front is there: sessions in use are offered to it, the others end. */
void session_offer_all(struct broker *broker);
void session_end_all(struct broker *broker);
void session_end(struct session *session);
/* The same; the front is told why. */
void session_fail(struct session *session, const char *text);
/* Frees it when all that belonged to it has been reaped. */
void session_free_if_ended(struct session *session);
void session_on_interpreter_exit(void *self, uint32_t events);

/* True when one of the sessions has that process, alive or not reaped yet. */
bool session_has_process(struct broker *broker, pid_t pid);

/* ---- join.c ---- */
void session_wait_for_join(struct session *session);
/* Harmless when it does not wait. */
void session_leave_queue(struct session *session);
/* The zygote is ready, or has answered: joins that wait go out. */
void session_ask_joins(struct broker *broker);
/* A frame of the zygote. */
void session_handle_zygote(struct broker *broker, struct channel_message *message);
/* The zygote died: joins it owed are asked again of the next one. */
void session_zygote_gone(struct broker *broker);

/* ---- broker.c ---- */
/* To the front; silently nothing while there is none. */
void broker_tell_front(struct broker *broker, enum frame_type type, uint64_t number,
                       const void *payload, size_t length, const int *fds, int fd_count);
/* Reaps a child that has ended and closes its pidfd, which must not be watched any more: a child on
 * its way to an exec may keep the closed one alive in the epoll set. Returns its status as wait(2)
 * gives it. */
int broker_reap(struct broker *broker, int *pid_fd);
/* The same, of one that has to be killed first. */
void broker_kill(struct broker *broker, int *pid_fd);
/* Reaps children that are nobody's, unless a join is on its way. */
void broker_reap_strangers(struct broker *broker);
/* A zygote that does not keep the protocol or does not read is ended; another one follows. */
void broker_kill_zygote(struct broker *broker, const char *why);
/* Called whenever a session has been freed or collected. */
void broker_session_settled(struct broker *broker);
