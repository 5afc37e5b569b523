#include "sandboxd/egress/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/clock.h"
#include "base/core/without.h"
#include "sandboxd/egress/own_address.h"
#include "sandboxd/egress/rules.h"
#include "sandboxd/sandbox/network.h"

enum {
    STACK_FRAME_BYTES = 2048, /* the device's MTU is 1,500 */
    STACK_FRAMES_AT_ONCE = 64,
    STACK_POLLS_MAX = 1024, /* EGRESS_FILES_MAX and a few */
};
enum { POLL_TAP, POLL_CHANNEL, POLL_FIRST_SOCKET };

struct stack {
    const struct egress_message *rules;
    struct own_addresses own;
    struct clock clock;
    Slirp *slirp;
    int tap_fd;
    struct pollfd polls[STACK_POLLS_MAX];
    int poll_count;
};

/* ---- what libslirp asks of us ---- */

/* A full queue drops the frame, as any network does. */
static ssize_t on_packet(const void *data, size_t length, void *self)
{
    const struct stack *stack = self;
    ssize_t written = write(stack->tap_fd, data, length);
    return written < 0 ? (ssize_t)length : written;
}

/* The guest could fill the log. */
static void on_guest_error(const char *message, void *self)
{
    (void)message;
    (void)self;
}

static int64_t on_clock(void *self)
{
    const struct stack *stack = self;
    return stack->clock.now_ms(stack->clock.self) * 1000000;
}

/* Timers are IPv6's, which is off; descriptors are asked for anew each time. */
static void *on_timer_new(SlirpTimerCb callback, void *callback_self, void *self)
{
    (void)callback;
    (void)callback_self;
    return self;
}

static void on_timer_free(void *timer, void *self)
{
    (void)timer;
    (void)self;
}

static void on_timer_change(void *timer, int64_t at_ms, void *self)
{
    (void)timer;
    (void)at_ms;
    (void)self;
}

static void on_descriptor(int fd, void *self)
{
    (void)fd;
    (void)self;
}

static void on_notify(void *self)
{
    (void)self;
}

static const SlirpCb callbacks = {
    .send_packet = on_packet,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new = on_timer_new,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_change,
    .register_poll_fd = on_descriptor,
    .unregister_poll_fd = on_descriptor,
    .notify = on_notify,
};

static const struct {
    int slirp;
    short poll;
} events[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int on_add_poll(int fd, int wanted, void *self)
{
    struct stack *stack = self;
    if (stack->poll_count == STACK_POLLS_MAX)
        return -1;
    struct pollfd *entry = &stack->polls[stack->poll_count];
    *entry = (struct pollfd){.fd = fd};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (wanted & events[i].slirp)
            entry->events = (short)(entry->events | events[i].poll);
    }
    return stack->poll_count++;
}

static int on_get_events(int index, void *self)
{
    const struct stack *stack = self;
    int happened = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (stack->polls[index].revents & events[i].poll)
            happened |= events[i].slirp;
    }
    return happened;
}

/* ---- frames ---- */

static struct in_addr internet_address(const char *text)
{
    struct in_addr address = {0};
    inet_pton(AF_INET, text, &address);
    return address;
}

static void handle_frame(struct stack *stack, const uint8_t *frame, size_t length)
{
    uint32_t address = 0;
    uint8_t answer[RULES_ANSWER_BYTES];
    enum rules_verdict verdict = rules_judge(stack->rules, frame, length, &address);
    if (!LAYER("egress-rules"))
        verdict = RULES_PASS;
    if (verdict == RULES_ASK)
        verdict = LAYER("egress-own-addresses") && own_addresses_hold(&stack->own, address)
                      ? RULES_REFUSE
                      : RULES_PASS;
    if (verdict == RULES_PASS) {
        slirp_input(stack->slirp, frame, (int)length);
    } else if (verdict == RULES_REFUSE) {
        rules_answer(frame, answer);
        on_packet(answer, sizeof answer, stack);
    }
}

/* False when the device has gone. */
static bool read_frames(struct stack *stack)
{
    uint8_t frame[STACK_FRAME_BYTES];
    for (int i = 0; i < STACK_FRAMES_AT_ONCE; i++) {
        ssize_t length = read(stack->tap_fd, frame, sizeof frame);
        if (length < 0)
            return errno == EAGAIN || errno == EINTR;
        handle_frame(stack, frame, (size_t)length);
    }
    return true;
}

static int serve(struct stack *stack, int channel_fd, struct error *err)
{
    for (;;) {
        uint32_t timeout_ms = UINT32_MAX;
        stack->polls[POLL_TAP] = (struct pollfd){.fd = stack->tap_fd, .events = POLLIN};
        stack->polls[POLL_CHANNEL] = (struct pollfd){.fd = channel_fd, .events = POLLIN};
        stack->poll_count = POLL_FIRST_SOCKET;
        slirp_pollfds_fill(stack->slirp, &timeout_ms, on_add_poll, stack);
        int ready = poll(stack->polls, (nfds_t)stack->poll_count,
                         timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
        if (ready < 0 && errno != EINTR)
            return error_from_errno(err, "poll");
        if (ready >= 0 && stack->polls[POLL_CHANNEL].revents)
            return 0;
        slirp_pollfds_poll(stack->slirp, ready < 0, on_get_events, stack);
        if (ready > 0 && stack->polls[POLL_TAP].revents && !read_frames(stack))
            return 0;
    }
}

int stack_serve(const struct egress_message *rules, int tap_fd, int channel_fd, struct error *err)
{
    static struct stack stack;
    SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .vnetwork = internet_address(NETWORK_ADDRESS),
        .vnetmask = internet_address(NETWORK_MASK),
        .vhost = internet_address(NETWORK_GATEWAY),
        .vdhcp_start = internet_address(NETWORK_SESSION),
        .vnameserver = internet_address(NETWORK_RESOLVER),
        .disable_host_loopback = true,
        .disable_dns = !rules->names,
        .disable_dhcp = true,
    };
    stack.rules = rules;
    stack.tap_fd = tap_fd;
    stack.clock = clock_system();
    stack.own.clock = stack.clock;
    stack.slirp = slirp_new(&config, &callbacks, &stack);
    if (!stack.slirp)
        return error_set(err, ERROR_SYSTEM, "libslirp could not be started");
    int result = serve(&stack, channel_fd, err);
    slirp_cleanup(stack.slirp);
    return result;
}
