/* internal: what the broker's files share. broker.c runs the front and the end, zygote.c the
 * zygotes, session.c the sessions, join.c their interpreters, egress.c their networks. */
#pragma once

#include <sys/types.h>

#include "base/core/clock.h"
#include "sandboxd/broker/broker.h"
#include "sandboxd/control/channel.h"

enum {
    BROKER_BUCKETS = 1024,
    BROKER_SEND_MS = 5000,    /* what a peer may take before it reads; then it is ended */
    BROKER_STEADY_MS = 10000, /* without a death for this long, the earlier ones are forgotten */
    BROKER_DEATHS_MAX = 5,
    BROKER_WARMING_PER_CORE = 2, /* zygotes for one session each: imports keep a processor busy */
};

/* A process of the daemon that the broker talks to: the front or a zygote. */
struct peer {
    pid_t pid;
    int pid_fd;
    int channel_fd;
    bool ready; /* may be spoken to; the front: has said something */
    struct watch channel_watch;
    struct watch exit_watch;
    void (*on_frame)(void *self, uint32_t events);
    void (*on_exit)(void *self, uint32_t events);
    void *self;
};

/* A warm interpreter that is forked into sessions: into many, or into one and no other. */
struct zygote {
    struct broker *broker;
    enum session_start start; /* sessions of that kind get its forks */
    struct zygote *next;      /* an older one */
    struct peer peer;
    int64_t started_ms;
    unsigned joins;        /* asked of it so far */
    unsigned joins_owed;   /* asked and not answered yet */
    bool retired;          /* gets no more joins, and ends when it owes none */
    struct timer deadline; /* to be ready, or to answer */
};

/* Of processes that are started again. */
struct deaths {
    unsigned in_a_row; /* none long after the one before */
    int64_t last_ms;
};

enum session_state {
    SESSION_SHELL_STARTING,
    SESSION_WAITING,  /* for an interpreter */
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
    struct zygote *zygote; /* has been asked for a join and owes the answer, or NULL */
    bool failed;           /* the end is told as SESSION_FAILED */
    bool announced;        /* the front knows its descriptors */
    bool collecting;       /* the shell has been asked for the front's descriptors */
    char failure[RESULT_TEXT_MAX];
    struct session_plan_message plan;
    unsigned sweeps_owed; /* SHELL_KILL frames that the shell has not answered */
    uint64_t memory_kills;
    int interpreter_status;
    pid_t shell_pid, interpreter_pid, egress_pid;
    int shell_pid_fd, command_fd, interpreter_pid_fd;
    int egress_pid_fd, egress_fd; /* with NETWORK_EGRESS: the process and the channel to it */
    int front_fds[4]; /* file channel, then interpreter channel, stdout and stderr while joining */
    struct watch shell_exit, interpreter_exit, egress_exit, command;
    int audit_fd; /* where the listener of refused calls comes from, then the listener, or -1 */
    struct watch audit;
    struct timer audit_timer; /* ends the window in which audit_count is counted */
    unsigned audit_count;
    struct timer shell_deadline; /* while the shell owes an answer */
    uint8_t blob[SESSION_BLOB_MAX];
    size_t blob_length; /* 0: not given to anybody yet */
};

struct broker {
    struct broker_options options;
    struct loop *loop;
    struct peer front;
    struct zygote *zygotes; /* the newest first */
    struct session *buckets[BROKER_BUCKETS];
    unsigned session_count;
    unsigned warming_max;
    unsigned joins_owed;                    /* by all zygotes together */
    unsigned collecting;                    /* sessions whose descriptors a new front waits for */
    struct session *waiting, **waiting_end; /* for a join, in order */
    uint32_t *free_slots;
    uint32_t free_slot_count;
    uint64_t next_number;
    bool greeted; /* the front has had its HELLO */
    bool proven;  /* a shell could be set up */
    bool stopping;
    int exit_status;
    struct watch signal_watch;
    struct timer restart_timer, stop_timer;
    struct deaths front_deaths, zygote_deaths[START_END];
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

/* ---- egress.c ---- */
/* Starts the process that is the network of a session; tap_fd, borrowed, is the other end of the
 * session's device. */
int egress_start(struct session *session, int tap_fd, struct error *err);

/* ---- join.c ---- */
void session_wait_for_join(struct session *session);
/* Harmless when it does not wait. */
void session_leave_queue(struct session *session);
/* A zygote is ready, has answered or has ended: joins that wait go out. */
void session_ask_joins(struct broker *broker);
/* How many wait for such a zygote, up to that many. */
unsigned session_count_waiting(const struct broker *broker, enum session_start start,
                               unsigned most);
/* There is none to be had. */
void session_fail_waiting(struct broker *broker, enum session_start start, const char *text);
/* An answer of the zygote. */
void session_handle_zygote(struct zygote *zygote, struct channel_message *message);
/* The zygote has died: the next one is asked for the joins it owed. */
void session_zygote_gone(struct zygote *zygote);

/* ---- audit.c ---- */
/* For a new interpreter, whose end of the channel is returned. */
int audit_open(struct session *session, int *ret_peer_fd, struct error *err);
void audit_close(struct session *session);

/* ---- zygote.c ---- */
int zygote_start(struct broker *broker, enum session_start start, struct error *err);
/* The one to ask for a join, or NULL while there is none. Starts what is needed for later ones. */
struct zygote *zygote_to_ask(struct broker *broker, enum session_start start);
void zygote_note_asked(struct zygote *zygote);
void zygote_note_answered(struct zygote *zygote);
/* One that does not keep the protocol, read or answer is ended; another one follows. */
void zygote_kill(struct zygote *zygote, const char *why);
void zygote_end_all(struct broker *broker);
bool zygote_has_process(struct broker *broker, pid_t pid);

/* ---- broker.c ---- */
/* To the front; silently nothing while there is none. */
void broker_tell_front(struct broker *broker, enum frame_type type, uint64_t number,
                       const void *payload, size_t length, const int *fds, int fd_count);
/* What sessions have, once both it and the front are there. */
void broker_tell_image(struct broker *broker);
/* Reaps a child that has ended and closes its pidfd, which must not be watched any more: a child on
 * its way to an exec may keep the closed one alive in the epoll set. Returns its status as wait(2)
 * gives it. */
int broker_reap(struct broker *broker, int *pid_fd);
/* The same, of one that has to be killed first. */
void broker_kill(struct broker *broker, int *pid_fd);
/* Reaps children that are nobody's, unless a join is on its way. */
void broker_reap_strangers(struct broker *broker);
/* Called whenever a session has been freed or collected, or a zygote has ended. */
void broker_session_settled(struct broker *broker);
/* True when there have been too many to go on. */
bool broker_count_death(struct broker *broker, struct deaths *deaths);
/* Ends the daemon, in order. */
void broker_stop(struct broker *broker, int exit_status);

/* Starts a program with a channel to us as its descriptor 3 and others after it. The caller has set
 * the callbacks, and closes it on failure too. */
int peer_start(struct broker *broker, struct peer *peer, int executable_fd,
               const char *const *arguments, const int *more_fds, int more_count,
               struct error *err);
/* Once it has been reaped. */
void peer_close(struct broker *broker, struct peer *peer);
