/* loopback: a server's socket, and raw requests to it while its loop is turned by hand.
 */
#pragma once

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/loop.h"
#include "tests/support/unit.h"

enum { LOOPBACK_ROUNDS_MAX = 2000, LOOPBACK_ROUND_MS = 5 };

static inline struct sockaddr_in loopback_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
}

/* returned */
static inline int loopback_listen(uint16_t *ret_port)
{
    struct sockaddr_in address = loopback_address(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Sends a request that asks for the connection's end. Returns the status; ret_answer has the whole
 * answer, cut at its capacity. */
static inline int loopback_ask(struct loop *loop, uint16_t port, const char *request,
                               char *ret_answer, size_t capacity)
{
    struct sockaddr_in address = loopback_address(port);
    struct error err = {0};
    size_t length = 0;
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    for (int i = 0; i < LOOPBACK_ROUNDS_MAX; i++) {
        loop_run_once(loop, LOOPBACK_ROUND_MS, &err);
        ssize_t n = recv(fd, ret_answer + length, capacity - 1 - length, MSG_DONTWAIT);
        if (n == 0)
            break;
        length += n > 0 ? (size_t)n : 0;
    }
    ret_answer[length] = '\0';
    return (int)strtol(ret_answer + strlen("HTTP/1.1 "), NULL, 10);
}
