/* listener: a socket that clients connect to, from an address as people write it. */
#pragma once

#include <stdbool.h>

#include "base/core/error.h"

struct listener_address {
    const char *option; /* its name, for messages: "--listen" */
    const char *text;   /* ADDRESS:PORT: "127.0.0.1:8900", "[::1]:8900", "localhost:8900" */
    bool may_be_remote; /* an address that is not loopback is allowed */
};

/* ERROR_DENIED for an address that others could reach and that was not allowed. */
int listener_open(const struct listener_address *address, int *ret_fd, struct error *err);
