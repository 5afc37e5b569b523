/* The networks of sessions with egress: each is a process of its own, which lives as long as the
 * session and less if it fails; then the session goes on without a network. */
#include <inttypes.h>
#include <sys/wait.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/broker/internal.h"
#include "sandboxd/broker/spawn.h"

static void on_egress_exit(void *self, uint32_t events)
{
    (void)events;
    struct session *session = self;
    loop_unwatch(session->broker->loop, &session->egress_exit);
    int status = broker_reap(session->broker, &session->egress_pid_fd);
    if (session->state == SESSION_ENDING)
        session_free_if_ended(session);
    else
        log_error("egress.ended", "session=s-%" PRIu64 " status=%d", session->number, status);
}

int egress_start(struct session *session, int tap_fd, struct error *err)
{
    const char *const arguments[] = {"sandboxd-egress", layers_to_argument(), NULL};
    struct broker *broker = session->broker;
    int pair[2];
    if (channel_pair(pair, err) < 0)
        return -1;
    session->egress_fd = pair[0];
    AUTO_CLOSE int peer_fd = pair[1];

    const int fds[] = {peer_fd, broker->options.egress_filter_fd};
    struct spawn_program program = {
        .executable_fd = broker->options.egress_fd,
        .arguments = arguments,
        .fds = fds,
        .fd_count = 2,
        .tree = &broker->options.tree,
        .session = session->number,
    };
    session->egress_pid = spawn_program(&program, &session->egress_pid_fd, err);
    if (session->egress_pid < 0)
        return -1;
    if (loop_watch(broker->loop, &session->egress_exit, session->egress_pid_fd, EPOLLIN,
                   on_egress_exit, session, err) < 0) {
        broker_kill(broker, &session->egress_pid_fd);
        return -1;
    }
    return channel_send(session->egress_fd, FRAME_EGRESS_START, session->number,
                        &session->plan.egress, sizeof session->plan.egress, &tap_fd, 1, err);
}
