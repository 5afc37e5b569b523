/* session: the pool's session behind a conversation, kept whole.
 *
 * One call at a time, on the loop. A marker among the interpreter's variables tells whether it is
 * still the one that the model knows: where it is gone, the files are sent again and the caller is
 * told. A pool that is full is asked again for a while; an endpoint that does not understand the
 * newest API is asked in older ones.
 */
#pragma once

#include "agent/pool/pool_client.h"
#include "base/core/cleanup.h"
#include "base/core/loop.h"

struct session;

/* What a session turned out to be. */
enum session_change {
    SESSION_AS_IT_WAS,
    SESSION_NEW,  /* the first time that this process uses it */
    SESSION_LOST, /* variables are gone, and files that it had were sent again */
};

struct session_handler {
    void *self;
    /* A sentence for a person: the pool is full, a file is sent. */
    void (*on_notice)(void *self, const char *text);
};

/* Texts are copied. loop and pool are borrowed. full_wait_ms: how long a full pool is asked again.
 */
struct session *session_create(struct loop *loop, struct pool_client *pool, const char *identifier,
                               int64_t full_wait_ms);
/* No call may be under way. */
void session_destroy(struct session *session);
DEFINE_AUTO(session)

const char *session_identifier(const struct session *session);
/* A call was answered: there is something to remove. */
bool session_exists(const struct session *session);
/* Something was asked: the session may exist though no answer has come. */
bool session_is_touched(const struct session *session);

/* A local file that the session is to have under that name, relative to the data directory. It is
 * sent by the next session_prepare, and again whenever the session was lost. */
void session_add_file(struct session *session, const char *path, const char *name);

/* Whether that name is one of them. */
bool session_has_file(const struct session *session, const char *name);

/* How session_prepare, session_execute and session_list end. The handler may take things out of the
 * result. change is session_prepare's; so is result, of the listing that ends it. */
struct session_call {
    void *self;
    void (*on_done)(void *self, enum session_change change, struct pool_result *result);
};

/* Each starts one call; its on_done comes from the loop, always. */

/* Makes sure that the session is there and has its files, and lists them. */
void session_prepare(struct session *session, const struct session_handler *handler,
                     const struct session_call *call);
/* True when nothing was asked of the session for a while, or a program ended its interpreter: it
 * should be prepared. */
bool session_is_doubtful(const struct session *session);
void session_doubt(struct session *session);
/* Runs code. */
void session_execute(struct session *session, const char *code, int64_t timeout_s,
                     const struct session_handler *handler, const struct session_call *call);
/* All files, below the data directory where the API can tell. */
void session_list(struct session *session, const struct session_call *call);

/* Ends the call under way, whose on_done then comes. A program that runs is cancelled in the
 * session too, where the pool can: else its call ends at once and a notice says that it goes on. */
void session_cancel(struct session *session);
