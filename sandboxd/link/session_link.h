/* session_link: the front's descriptors of one session, from its start to its end.
 *
 * It belongs to the pool's session of the same life (session->link) and translates: what the broker
 * and the interpreter report becomes session_on_...; what the pool wants becomes frames.
 */
#pragma once

#include "base/core/random.h"
#include "sandboxd/link/execution_log.h"
#include "sandboxd/link/interpreter.h"
#include "sandboxd/link/shell.h"
#include "sandboxd/pool/pool.h"

struct broker_link;

struct session_link {
    struct broker_link *broker;
    struct session *session;
    uint64_t number; /* between front and broker */
    char guid[GUID_TEXT_MAX];
    int64_t requested_us; /* for the log */
    struct interpreter interpreter;
    struct shell shell;
    struct execution_log executions;
    struct table_node node;
};

static inline struct session_link *session_link_of(const struct session *session)
{
    return session->link;
}

/* returned; session->link points to it until session_link_destroy */
struct session_link *session_link_create(struct broker_link *broker, struct session *session,
                                         uint64_t number);
/* Everything that waits for it is answered first. */
void session_link_destroy(struct session_link *link);

/* The four descriptors of a started or adopted session are taken out of the message. */
void session_link_on_started(struct session_link *link, struct channel_message *message,
                             bool adopted);
void session_link_on_joined(struct session_link *link, struct channel_message *message);
void session_link_on_interpreter_gone(struct session_link *link, const struct gone_message *gone);
/* The broker has nothing of it left. The link is destroyed. */
void session_link_on_ended(struct session_link *link, const struct error *why);
