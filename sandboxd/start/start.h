/* start: what the user has named for a daemon, opened as the user that he is, then launch.
 *
 * Runs in: sandboxd, for a few milliseconds, with all that its caller may do. Parses nothing that a
 * client or a guest wrote, and knows nothing of isolation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/control/inherit.h"

struct start_options {
    const char *listen;       /* ADDRESS:PORT */
    const char *listen_https; /* ADDRESS:PORT, or "none" */
    const char *state_dir;    /* made when missing */
    const char *config;       /* a file, or NULL */
    const char *policy_dir;   /* or NULL */
    const char *certificate;  /* PEM files, both or neither; NULL: the development authority's */
    const char *certificate_key;
    const char *zygote_sessions;        /* a number: see inherit.h */
    const char *auth;                   /* none, any or jwt: passed on as it is */
    const char *hosts[FRONT_HOSTS_MAX]; /* further names by which clients reach the daemon */
    size_t host_count;
    uint32_t allowed_missing; /* a bit for each layer that may be missing: base/core/layer.h */
    bool insecure; /* an address other than loopback is meant, although tokens are not checked */
};

/* Returns only on failure. */
int start_daemon(const struct start_options *options, struct error *err);
