/* loopback_server: an HTTP server of raw bytes for tests of clients.
 *
 * A thread on a port of its own answers one connection after the other with what the test wrote
 * down, byte for byte, and keeps what was asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loopback_answer {
    const char *bytes;  /* head and body; borrowed until the server has stopped */
    size_t length;      /* 0: strlen(bytes) */
    size_t repeat_body; /* after the bytes, this many "x" */
    bool hangs;         /* does not close until the client or the server does */
};

struct loopback_server;

/* The port can be used at once. The answers are copied, their bytes are not. */
struct loopback_server *loopback_server_start(const struct loopback_answer *answers, size_t count);
unsigned loopback_server_port(const struct loopback_server *server);
/* Ends the thread; the requests can be read from then on. */
void loopback_server_stop(struct loopback_server *server);
size_t loopback_server_requests(const struct loopback_server *server);
/* NUL-terminated head and body of one request. */
const char *loopback_server_request(const struct loopback_server *server, size_t index,
                                    size_t *ret_length);
void loopback_server_destroy(struct loopback_server *server);

/* A port on 127.0.0.1 that nothing listens on. */
unsigned loopback_unused_port(void);
