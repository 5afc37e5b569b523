#include "sandboxd/api/front.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "base/core/state_file.h"
#include "base/core/text.h"
#include "sandboxd/api/arm_roles.h"
#include "sandboxd/api/environments.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/identity/daemon_file.h"

bool front_is_healthy(const struct front *front)
{
    return !front->stopping && front_pools_are_settled(&front->pools);
}

const char *front_mcp_key(const struct pool *pool)
{
    const struct front_pool *entry = front_pool_of(pool);
    if (entry->is_deleted || !entry->resource.mcp_enabled)
        return NULL;
    return mcp_keys_find(&entry->pools->keys, pool->settings.key);
}

/* ---- pools ---- */

static struct pool *find_pool_by_key(void *self, const char *key)
{
    struct front *front = self;
    struct front_pool *entry = front_pools_find_key(&front->pools, key);
    return entry ? entry->pool : NULL;
}

static void on_wake(void *self, struct pool *pool, int64_t at_ms)
{
    (void)self;
    front_pool_wake_at(front_pool_of(pool), at_ms);
}

/* Takes the pools of the configuration, whose reader has checked how many they are. */
static int open_pools(struct front *front, struct config *config, struct error *err)
{
    struct pool_broker seam = broker_link_seam(&front->broker);
    front_pools_open(&front->pools, front->loop, &seam, front->state_fd);
    front->pools.no_egress = front->arguments->no_egress;
    for (size_t i = 0; i < config->pool_count; i++) {
        if (front_pools_add(&front->pools, &config->pools[i], true, NULL, err) < 0)
            return -1;
    }
    front_pools_load(&front->pools);
    arm_roles_load(front);
    return 0;
}

/* ---- start ---- */

static int open_server(struct front *front, enum front_listener_kind kind, struct error *err)
{
    const struct front_listener *listener = &front->arguments->listeners[kind];
    const struct server_certificate *own = &front->arguments->certificate;
    const struct server_certificate *certificate =
        own->certificate_pem ? own : &front->identity->certificate;
    struct http_server_options options = {
        .listen_fd = listener->fd,
        .connections_max = FRONT_CONNECTIONS_MAX,
        .idle_timeout_s = FRONT_IDLE_TIMEOUT_S,
    };
    if (!*listener->address)
        return 0;
    if (kind == FRONT_HTTPS) {
        options.certificate_pem = certificate->certificate_pem;
        options.key_pem = certificate->key_pem;
    }
    struct http_handler handler = exchange_handler;
    handler.self = front;
    front->servers[kind] = http_server_create(front->loop, &options, &handler, err);
    if (!front->servers[kind])
        return error_add_context(err, "serve %s", listener->address);
    log_info("front.listening", "address=%s tls=%s auth=%s pools=%zu", listener->address,
             kind == FRONT_HTTPS ? "yes" : "no", access_mode_name(front->auth), front->pools.count);
    return 0;
}

/* The address as it was given, with the port that the kernel chose for port 0. "" without one. */
static void write_address(const struct front_listener *listener, char ret_text[DAEMON_TEXT_MAX])
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    char port[NI_MAXSERV];
    const char *colon = strrchr(listener->address, ':');
    *ret_text = '\0';
    if (!colon || getsockname(listener->fd, (struct sockaddr *)&name, &length) < 0 ||
        getnameinfo((struct sockaddr *)&name, length, NULL, 0, port, sizeof port, NI_NUMERICSERV) !=
            0)
        return;
    snprintf(ret_text, DAEMON_TEXT_MAX, "%.*s:%s", (int)(colon - listener->address),
             listener->address, port);
}

/* For `sandboxd env`. */
static int write_daemon_file(struct front *front, struct error *err)
{
    struct daemon_file file = {0};
    const struct front_listener *listeners = front->arguments->listeners;
    write_address(&listeners[FRONT_HTTP], file.http);
    write_address(&listeners[FRONT_HTTPS], file.https);
    snprintf(file.auth, sizeof file.auth, "%s", access_mode_name(front->auth));
    _Static_assert(sizeof file.pool >= RESOURCE_ID_TEXT_MAX, "room for a path");
    const struct front_pool *pool = front_pools_find(&front->pools, NULL, NULL, NULL);
    resource_id_write_path(&pool->resource.id, file.pool);
    return daemon_file_write(front->state_fd, &file, err) < 0
               ? error_add_context(err, "--state-dir")
               : 0;
}

static void on_image(void *self, const void *data, size_t length)
{
    struct front *front = self;
    struct error err = {0};
    struct image image;
    if (image_read(data, length, &image, &err) < 0) {
        log_error("image.unreadable", "error=\"%s\"", err.message);
        return;
    }
    image_clear(&front->image);
    front->image = image;
}

/* Clients that come before this wait in the socket's queue: after a restart of the front nobody is
 * told that a session is unknown which is about to be adopted. */
static void on_hello(void *self)
{
    struct front *front = self;
    struct error err = {0};
    if (front->servers[FRONT_HTTP])
        return;
    if (write_daemon_file(front, &err) < 0 || open_server(front, FRONT_HTTP, &err) < 0 ||
        open_server(front, FRONT_HTTPS, &err) < 0) {
        log_error("front.failed", "error=\"%s\"", err.message);
        loop_stop(front->loop);
        return;
    }
    front_pools_wake(&front->pools);
}

/* ---- stop ---- */

/* Nothing new is started from here on. May be called again. */
static void stop_accepting(struct front *front)
{
    front->stopping = true;
    front_pools_quiesce(&front->pools);
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++) {
        if (front->servers[i])
            http_server_quiesce(front->servers[i]);
    }
    if (front->exchanges == 0)
        loop_stop(front->loop);
}

static void on_grace_over(void *self)
{
    struct front *front = self;
    loop_stop(front->loop);
}

static void on_signal(void *self, uint32_t events)
{
    struct front *front = self;
    struct signalfd_siginfo info;
    (void)events;
    if (read(front->signals.fd, &info, sizeof info) != (ssize_t)sizeof info || front->stopping)
        return;
    log_info("front.stopping", "requests=%u", front->exchanges);
    loop_start_timer(front->loop, &front->stop_timer,
                     loop_now_ms(front->loop) + FRONT_STOP_GRACE_MS, on_grace_over, front);
    stop_accepting(front);
}

static void on_broker_closed(void *self, const struct error *err)
{
    struct front *front = self;
    log_info("broker.closed", "reason=\"%s\"", err->message);
    stop_accepting(front);
    loop_stop(front->loop);
}

/* Answers that are on their way still reach their clients, within a bound. */
static void flush_answers(struct front *front)
{
    struct error err = {0};
    int64_t end_ms = loop_now_ms(front->loop) + FRONT_FLUSH_MS;
    while (front->exchanges > 0 && loop_now_ms(front->loop) < end_ms) {
        if (loop_run_once(front->loop, 50, &err) < 0)
            break;
    }
}

static int watch_signals(struct front *front, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_from_errno(err, "sigprocmask");
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_from_errno(err, "signalfd");
    return loop_watch(front->loop, &front->signals, fd, EPOLLIN, on_signal, front, err);
}

/* Before anything is written there. */
static void sweep_state(const struct front *front)
{
    struct error err = {0};
    if (state_file_sweep(front->state_fd, &err) < 0)
        log_error("state.not_swept", "error=\"%s\"", err.message);
}

static int open_identity(struct front *front, struct error *err)
{
    const struct identity_options options = {
        .names = front->names.items,
        .name_count = front->names.count,
        .now_s = time(NULL),
    };
    return identity_open(front->state_fd, &options, &front->identity, err) < 0
               ? error_add_context(err, "--state-dir")
               : 0;
}

static int open_front(struct front *front, struct config *config, struct error *err)
{
    struct broker_link_events events = {
        .on_hello = on_hello,
        .on_image = on_image,
        .on_closed = on_broker_closed,
        .on_wake = on_wake,
        .find_pool = find_pool_by_key,
        .self = front,
    };
    sweep_state(front);
    front->loop = loop_create(clock_system(), err);
    if (!front->loop || watch_signals(front, err) < 0 || open_identity(front, err) < 0 ||
        open_pools(front, config, err) < 0)
        return -1;
    return broker_link_open(&front->broker, front->loop, front->arguments->broker_fd,
                            RESOURCE_SESSIONS_MAX, &events, err);
}

int front_run(const struct front_arguments *arguments, struct config *config)
{
    struct front front = {
        .arguments = arguments,
        .state_fd = arguments->state_fd,
        .auth = arguments->auth,
        .roles = config->roles,
        .names = arguments->names,
        .api = config->api,
        .environments = environments_create(),
    };
    config->roles = (struct roles){0};
    struct error err = {0};
    if (open_front(&front, config, &err) < 0) {
        log_error("front.failed", "error=\"%s\"", err.message);
        return EXIT_FAILURE;
    }

    int result = loop_run(front.loop, &err);
    if (result < 0)
        log_error("front.failed", "error=\"%s\"", err.message);
    bool stopped = front.stopping;

    stop_accepting(&front);
    broker_link_close(&front.broker);
    flush_answers(&front);
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++)
        http_server_destroy(front.servers[i]);
    front_pools_close(&front.pools);
    environments_destroy(front.environments);
    loop_unwatch(front.loop, &front.signals);
    close(front.signals.fd);
    loop_destroy(front.loop);
    image_clear(&front.image);
    roles_clear(&front.roles);
    roles_clear(&front.kept_roles);
    identity_destroy(front.identity);
    return result == 0 && stopped ? EXIT_SUCCESS : EXIT_FAILURE;
}
