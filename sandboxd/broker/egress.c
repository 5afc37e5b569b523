/* The networks of sessions with egress: each is a process of its own, which lives as long as the
 * session and less if it fails; then the session goes on without a network. */
#include <inttypes.h>

#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/control/inherit.h"

static void on_egress_exit(void *self, int status)
{
    struct session *session = self;
    if (session->state == SESSION_ENDING)
        session_free_if_ended(session);
    else
        log_error("egress.ended", "session=s-%" PRIu64 " status=%d", session->number, status);
}

int egress_start(struct session *session, int tap_fd, struct error *err)
{
    const char *const arguments[] = {"sandboxd-egress", layers_to_argument(), NULL};
    struct broker *broker = session->broker;
    struct spawn program = {
        .executable_fd = INHERIT_EGRESS_FD,
        .arguments = arguments,
        .fds = {broker->options.egress_filter_fd},
        .fd_count = 1,
        .tree = &broker->options.tree,
        .session = session->number,
    };
    session->egress = (struct child){.on_exit = on_egress_exit, .self = session};
    if (child_start(broker, &session->egress, &program, err) < 0)
        return -1;
    return channel_send(session->egress.channel_fd, FRAME_EGRESS_START, session->number,
                        &session->plan.egress, sizeof session->plan.egress, &tap_fd, 1, err);
}
