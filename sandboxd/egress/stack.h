/* stack: the network that a session's frames go to.
 *
 * Runs in: sandboxd-egress, behind its filter. The only user of libslirp.h: frames come from the
 * session's device, connections and datagrams leave by ordinary sockets of this process.
 */
#pragma once

#include "base/core/error.h"
#include "sandboxd/control/message.h"

/* Serves until channel_fd closes or has something to say, or until the device is gone.
 * tap_fd: what network_attach gave; non-blocking, as it is there. */
int stack_serve(const struct egress_message *rules, int tap_fd, int channel_fd, struct error *err);
