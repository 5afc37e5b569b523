/* internal: what the broker's files share. broker.c runs the front and the end, zygote.c the
 * zygotes, session.c the sessions, join.c their interpreters, egress.c their networks, audit.c the
 * calls that they were refused, child.c every process. */
#pragma once

#include "base/core/clock.h"
#include "sandboxd/broker/broker.h"
#include "sandboxd/broker/child.h"
#include "sandboxd/control/channel.h"

enum {
    BROKER_STEADY_MS = 10000, /* without a death for this long, the earlier ones are forgotten */
    BROKER_DEATHS_MAX = 5,
    BROKER_WARMING_PER_CORE = 2, /* zygotes for one session each: imports keep a processor busy */
};

TAILQ_HEAD(session_queue, session);

/* A warm interpreter that is forked into sessions: into many, or into one and no other. */
struct zygote {
    struct broker *broker;
    enum session_start start; /* sessions of that kind get its forks */
    LIST_ENTRY(zygote) siblings;
    struct child child;
    bool ready; /* its imports are done */
    int64_t started_ms;
    unsigned joins;            /* asked of it so far */
    unsigned joins_owed;       /* asked and not answered yet */
    struct session_queue owed; /* the sessions that wait for these */
    bool retired;              /* gets no more joins, and ends when it owes none */
    struct timer deadline;     /* to be ready, or to answer */
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
    uint64_t number;
    uint32_t slot; /* its place in the broker's table, and its ids */
    enum session_state state;
    TAILQ_ENTRY(session) queue; /* waiting for a join, of the broker's or of the zygote's */
    struct zygote *zygote;      /* has been asked for a join and owes the answer, or NULL */
    bool failed;                /* the end is told as SESSION_FAILED */
    bool announced;             /* the front knows its descriptors */
    bool collecting;            /* the shell has been asked for the front's descriptors */
    char failure[RESULT_TEXT_MAX];
    struct session_plan_message plan;
    unsigned sweeps_owed; /* SHELL_KILL frames that the shell has not answered */
    uint64_t memory_kills;
    int interpreter_status;
    struct child shell, interpreter, egress;
    int front_fds[4]; /* file channel, then interpreter channel, stdout and stderr while joining */
    int audit_fd;     /* where the listener of refused calls comes from, then the listener, or -1 */
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
    LIST_HEAD(, child) children;
    struct child front;
    LIST_HEAD(, zygote) zygotes; /* the newest first */
    struct session_slot {
        uint64_t number; /* 0 where there is no session */
        struct session *session;
    } * slots; /* one for each pair of ids */
    uint32_t slot_count, slots_used;
    unsigned session_count;
    unsigned warming_max;
    unsigned collecting;                     /* sessions whose descriptors a new front waits for */
    struct session_queue waiting[START_END]; /* for a join, and not asked for yet */
    uint64_t next_number;
    bool front_spoke;
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
void session_handle_front(struct broker *broker);
/* A new front is there: sessions in use are offered to it, the others end. */
void session_offer_all(struct broker *broker);
void session_end_all(struct broker *broker);
void session_end(struct session *session);
/* The same; the front is told why. */
void session_fail(struct session *session, const char *text);
/* Frees it when all that belonged to it has been reaped. */
void session_free_if_ended(struct session *session);
void session_on_interpreter_exit(void *self, int status);

/* ---- egress.c ---- */
/* Starts the process that is the network of a session; tap_fd, borrowed, is the other end of the
 * session's device. */
int egress_start(struct session *session, int tap_fd, struct error *err);

/* ---- join.c ---- */
void session_wait_for_join(struct session *session);
/* A zygote is ready, has answered or has ended: joins that wait go out. */
void session_ask_joins(struct broker *broker);
/* There is no zygote of that kind to be had. */
void session_fail_waiting(struct broker *broker, enum session_start start, const char *text);
/* An answer of the zygote. */
void session_handle_zygote(struct zygote *zygote);
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
bool zygote_any_owes(struct broker *broker);
void zygote_note_asked(struct zygote *zygote, struct session *session);
void zygote_note_answered(struct zygote *zygote, struct session *session);
/* One that does not keep the protocol, read or answer is ended; another one follows. */
void zygote_kill(struct zygote *zygote, const char *why);
void zygote_end_all(struct broker *broker);

/* ---- broker.c ---- */
/* To the front; silently nothing while there is none. */
void broker_tell_front(struct broker *broker, enum frame_type type, uint64_t number,
                       const void *payload, size_t length, const int *fds, int fd_count);
/* What sessions have, once both it and the front are there. */
void broker_tell_image(struct broker *broker);
/* Called whenever a session has been freed or collected, or a zygote has ended. */
void broker_session_settled(struct broker *broker);
/* True when there have been too many to go on. */
bool broker_count_death(struct broker *broker, struct deaths *deaths);
/* Ends the daemon, in order. */
void broker_stop(struct broker *broker, int exit_status);
