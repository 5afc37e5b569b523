/* Refused calls. The kernel asks the broker about each, and waits; the front is told, then the call
 * fails. The answer is always the policy's error: nothing here can let a call through. */
#include <string.h>

#include "base/core/cleanup.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/sandbox/seccomp.h"

/* Who asks too much waits, and nobody else does:
 * docs/decisions/0015-refused-calls-are-asked-about.md. */
enum {
    AUDIT_WINDOW_MS = 100,
    AUDIT_ANSWERS_MAX = 500, /* of one session in a window */
    AUDIT_TOLD_MAX = 64,     /* of these the front hears so many */
};

void audit_close(struct session *session)
{
    loop_unwatch(session->broker->loop, &session->audit);
    loop_stop_timer(session->broker->loop, &session->audit_timer);
    close_fd(&session->audit_fd);
}

static void on_window(void *self)
{
    struct session *session = self;
    session->audit_count = 0;
    loop_change(session->broker->loop, &session->audit, EPOLLIN);
}

static void tell(struct session *session, const struct seccomp_question *question)
{
    struct denied_message denied = {.number = question->number};
    memcpy(denied.arguments, question->arguments, sizeof denied.arguments);
    broker_tell_front(session->broker, FRAME_DENIED, session->number, &denied, sizeof denied, NULL,
                      0);
}

static void on_question(void *self, uint32_t events)
{
    struct session *session = self;
    struct loop *loop = session->broker->loop;
    int error_number = session->broker->options.asking_profiles[session->plan.policy].default_error;
    struct seccomp_question question;
    if (!(events & EPOLLIN)) {
        audit_close(session); /* the last process behind the filter has ended */
        return;
    }
    if (!seccomp_listener_read(session->audit_fd, &question))
        return;
    if (!session->audit_timer.active)
        loop_start_timer_in(loop, &session->audit_timer, AUDIT_WINDOW_MS, on_window, session);
    if (++session->audit_count <= AUDIT_TOLD_MAX)
        tell(session, &question);
    seccomp_listener_refuse(session->audit_fd, question.id, error_number);
    if (session->audit_count >= AUDIT_ANSWERS_MAX)
        loop_change(loop, &session->audit, 0);
}

/* One message, from the interpreter before it runs a guest's code. */
static void on_listener(void *self, uint32_t events)
{
    (void)events;
    struct session *session = self;
    struct broker *broker = session->broker;
    int listener_fd = -1;
    if (channel_receive(session->audit_fd, 1, &broker->message, NULL) == CHANNEL_MESSAGE)
        listener_fd = channel_take_fd(&broker->message, 0);
    audit_close(session);
    session->audit_fd = listener_fd;
    if (listener_fd >= 0 && loop_watch(broker->loop, &session->audit, listener_fd, EPOLLIN,
                                       on_question, session, NULL) < 0)
        audit_close(session);
}

int audit_open(struct session *session, int *ret_peer_fd, struct error *err)
{
    int pair[2];
    *ret_peer_fd = -1;
    audit_close(session);
    if (channel_pair(pair, err) < 0)
        return -1;
    session->audit_fd = pair[0];
    *ret_peer_fd = pair[1];
    return loop_watch(session->broker->loop, &session->audit, session->audit_fd, EPOLLIN,
                      on_listener, session, err);
}
