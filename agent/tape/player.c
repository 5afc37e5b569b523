#include "agent/tape/player.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tape/speech.h"
#include "base/http/http_server.h"

enum { IDLE_TIMEOUT_S = 300 };

struct player {
    struct loop *loop;
    struct http_server *server;
    struct player_handler handler;
    char url[PLAYER_URL_MAX];
    unsigned waiting;
    uint64_t bytes_given;
};

/* One request and its answer. */
struct part {
    struct player *player;
    struct http_request *request;
    struct buf body;
    bool is_refused; /* answered before it was complete */

    struct reply reply;
    size_t piece;  /* the next one */
    size_t offset; /* given so far */
    bool is_due;   /* the next piece may be given */
    struct timer timer;
};

/* ---- the answer ---- */

static void on_time(void *self)
{
    struct part *part = self;
    part->is_due = true;
    part->player->waiting--;
    http_request_wake(part->request);
}

/* Gives at most one piece each time, so that it becomes one chunk on the wire. */
static ssize_t read_piece(void *self, char *data, size_t room)
{
    struct part *part = self;
    if (part->piece == part->reply.piece_count)
        return part->reply.is_cut ? HTTP_SOURCE_BREAK : HTTP_SOURCE_END;

    const struct reply_piece *piece = &part->reply.pieces[part->piece];
    if (!part->is_due && piece->delay_ms > 0) {
        if (!part->timer.active) {
            part->player->waiting++;
            loop_start_timer(part->player->loop, &part->timer,
                             loop_now_ms(part->player->loop) + piece->delay_ms, on_time, part);
        }
        return 0;
    }
    size_t left = piece->end - part->offset, length = left < room ? left : room;
    memcpy(data, part->reply.body.data + part->offset, length);
    part->offset += length;
    part->player->bytes_given += length;
    part->is_due = length < left;
    part->piece += length == left;
    return (ssize_t)length;
}

static void answer(struct part *part)
{
    struct http_response response = {.status = part->reply.status};
    for (size_t i = 0; i < part->reply.header_count; i++)
        http_response_add(&response, part->reply.headers[i].name, part->reply.headers[i].value);
    struct http_source source = {read_piece, part};
    http_request_stream(part->request, &response, &source);
}

/* ---- the request ---- */

static void on_head(void *self, struct http_request *request)
{
    struct part *part = xcalloc(1, sizeof *part);
    part->player = self;
    part->request = request;
    part->body.limit = PLAYER_BODY_BYTES_MAX;
    http_request_set_data(request, part);
}

static void on_body(void *self, struct http_request *request, const char *data, size_t length)
{
    (void)self;
    struct part *part = http_request_data(request);
    if (part->is_refused || buf_append(&part->body, data, length))
        return;
    part->is_refused = true;
    part->reply.body.limit = REPLY_BYTES_MAX;
    speech_write_error(&part->reply, 413, NULL, NULL, "the request is too large");
    answer(part);
}

static void on_end(void *self, struct http_request *request)
{
    struct player *player = self;
    struct part *part = http_request_data(request);
    struct player_request asked = {.method = http_request_method(request),
                                   .target = http_request_target(request),
                                   .content_type = http_request_header(request, "Content-Type"),
                                   .body = part->body.data ? part->body.data : "",
                                   .length = part->body.length};
    player->handler.on_request(player->handler.self, &asked, &part->reply);
    buf_free(&part->body);
    answer(part);
}

static void on_gone(void *self, struct http_request *request)
{
    struct player *player = self;
    struct part *part = http_request_data(request);
    http_request_set_data(request, NULL);
    if (!part)
        return;
    player->waiting -= part->timer.active;
    loop_stop_timer(player->loop, &part->timer);
    reply_clear(&part->reply);
    buf_free(&part->body);
    free(part);
}

static void on_refused(void *self, struct http_request *request, enum http_refusal why,
                       const char *message)
{
    (void)self;
    struct http_response response = {.status = why == HTTP_REFUSED_HEADERS ? 431 : 400,
                                     .body = xstrdup(message),
                                     .body_length = strlen(message),
                                     .close = true};
    http_request_respond(request, &response);
}

/* ---- the server ---- */

static int describe(int listen_fd, char ret_url[PLAYER_URL_MAX], struct error *err)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN];
    if (getsockname(listen_fd, (struct sockaddr *)&address, &length) < 0)
        return error_from_errno(err, "getsockname");
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(ret_url, PLAYER_URL_MAX, "http://[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(ret_url, PLAYER_URL_MAX, "http://%s:%u", host, ntohs(v4->sin_port));
    }
    return 0;
}

int player_create(struct loop *loop, int listen_fd, const struct player_handler *handler,
                  struct player **ret_player, struct error *err)
{
    AUTO(player) struct player *player = xcalloc(1, sizeof *player);
    struct http_server_options options = {.listen_fd = listen_fd,
                                          .connections_max = PLAYER_CONNECTIONS_MAX,
                                          .idle_timeout_s = IDLE_TIMEOUT_S};
    struct http_handler http = {.self = player,
                                .on_head = on_head,
                                .on_body = on_body,
                                .on_end = on_end,
                                .on_gone = on_gone,
                                .on_refused = on_refused};
    player->loop = loop;
    player->handler = *handler;
    if (describe(listen_fd, player->url, err) < 0)
        return -1;
    player->server = http_server_create(loop, &options, &http, err);
    if (!player->server)
        return -1;
    *ret_player = TAKE(player);
    return 0;
}

void player_destroy(struct player *player)
{
    if (!player)
        return;
    http_server_destroy(player->server);
    free(player);
}

const char *player_url(const struct player *player)
{
    return player->url;
}

unsigned player_waiting(const struct player *player)
{
    return player->waiting;
}

uint64_t player_bytes_given(const struct player *player)
{
    return player->bytes_given;
}
