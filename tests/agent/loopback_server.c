#include "tests/agent/loopback_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_MAX = 8, REQUEST_BYTES_MAX = 8 * 1024 * 1024, PIECE_BYTES = 64 * 1024 };

struct request {
    char *data;
    size_t length;
};

struct loopback_server {
    pthread_t thread;
    bool running;
    int listen_fd;
    int stop_fd;
    unsigned port;
    struct loopback_answer answers[REQUESTS_MAX];
    size_t answer_count;
    struct request requests[REQUESTS_MAX];
    size_t request_count;
};

static int listen_on_loopback(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        perror("loopback_server");
        abort();
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* False when the server is being stopped. */
static bool wait_readable(const struct loopback_server *server, int fd)
{
    struct pollfd waits[] = {{.fd = fd, .events = POLLIN},
                             {.fd = server->stop_fd, .events = POLLIN}};
    poll(waits, 2, -1);
    return !(waits[1].revents & POLLIN);
}

static const char *head_end(const struct request *request)
{
    const char *end = request->data ? strstr(request->data, "\r\n\r\n") : NULL;
    return end ? end + 4 : NULL;
}

static bool is_complete(const struct request *request)
{
    const char *end = head_end(request);
    if (!end)
        return false;
    const char *length = strcasestr(request->data, "\r\nContent-Length:");
    if (!length || length > end)
        return true;
    size_t body = strtoull(length + strlen("\r\nContent-Length:"), NULL, 10);
    return request->length >= (size_t)(end - request->data) + body;
}

static void read_request(struct loopback_server *server, int fd, struct request *request)
{
    bool continued = false;
    request->data = calloc(1, REQUEST_BYTES_MAX + 1);
    while (!is_complete(request) && request->length < REQUEST_BYTES_MAX) {
        if (!wait_readable(server, fd))
            return;
        ssize_t got =
            recv(fd, request->data + request->length, REQUEST_BYTES_MAX - request->length, 0);
        if (got <= 0)
            return;
        request->length += (size_t)got;
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!continued && head_end(request) && strcasestr(request->data, "\r\nExpect: 100-")) {
            send(fd, go_on, strlen(go_on), MSG_NOSIGNAL);
            continued = true;
        }
    }
}

static bool send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

static void send_answer(int fd, const struct loopback_answer *answer)
{
    static char filler[PIECE_BYTES];
    memset(filler, 'x', sizeof filler);
    bool goes_on =
        send_all(fd, answer->bytes, answer->length ? answer->length : strlen(answer->bytes));
    for (size_t left = answer->repeat_body; goes_on && left > 0;) {
        size_t piece = left < sizeof filler ? left : sizeof filler;
        goes_on = send_all(fd, filler, piece);
        left -= piece;
    }
}

static void *serve(void *self)
{
    struct loopback_server *server = self;
    for (size_t i = 0; i < server->answer_count; i++) {
        if (!wait_readable(server, server->listen_fd))
            break;
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        struct request *request = &server->requests[server->request_count++];
        read_request(server, fd, request);
        send_answer(fd, &server->answers[i]);
        if (server->answers[i].hangs)
            wait_readable(server, fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return NULL;
}

struct loopback_server *loopback_server_start(const struct loopback_answer *answers, size_t count)
{
    struct loopback_server *server = calloc(1, sizeof *server);
    server->listen_fd = listen_on_loopback(&server->port);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->answer_count = count < REQUESTS_MAX ? count : REQUESTS_MAX;
    memcpy(server->answers, answers, server->answer_count * sizeof *answers);
    server->running = pthread_create(&server->thread, NULL, serve, server) == 0;
    return server;
}

unsigned loopback_server_port(const struct loopback_server *server)
{
    return server->port;
}

void loopback_server_stop(struct loopback_server *server)
{
    if (!server->running)
        return;
    eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    server->running = false;
}

size_t loopback_server_requests(const struct loopback_server *server)
{
    return server->request_count;
}

const char *loopback_server_request(const struct loopback_server *server, size_t index,
                                    size_t *ret_length)
{
    if (index >= server->request_count)
        return "";
    if (ret_length)
        *ret_length = server->requests[index].length;
    return server->requests[index].data;
}

void loopback_server_destroy(struct loopback_server *server)
{
    if (!server)
        return;
    loopback_server_stop(server);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i].data);
    close(server->listen_fd);
    close(server->stop_fd);
    free(server);
}

unsigned loopback_unused_port(void)
{
    unsigned port;
    close(listen_on_loopback(&port));
    return port;
}
