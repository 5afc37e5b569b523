/* network: what a session's own network namespace has in it.
 *
 * Loopback always. A session with egress has an Ethernet device too, whose other end is a
 * descriptor: whoever holds it is the network. Needs CAP_NET_ADMIN over the namespace, and is done
 * before any guest code runs.
 */
#pragma once

#include "base/core/error.h"

/* The network that such a session sees. RFC 7335 reserves 192.0.0.0/29 for the link between a
 * machine and a translator of its own, so it hides no address that anybody could mean. */
#define NETWORK_ADDRESS  "192.0.0.0"
#define NETWORK_MASK     "255.255.255.248"
#define NETWORK_GATEWAY  "192.0.0.1"
#define NETWORK_SESSION  "192.0.0.2"
#define NETWORK_RESOLVER "192.0.0.3"

/* Brings the loopback interface of the caller's network namespace up. */
int network_loopback_up(struct error *err);

/* Makes eth0 in the caller's network namespace, with address and default route. /dev/net/tun must
 * be there. *ret_fd: its other end, frame by frame, non-blocking, close-on-exec, yours; the device
 * goes when it is closed. */
int network_attach(int *ret_fd, struct error *err);
