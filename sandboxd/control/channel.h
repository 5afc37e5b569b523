/* channel: a SOCK_SEQPACKET pair that carries frames and descriptors.
 *
 * Used by every process of the daemon. Received descriptors are close-on-exec and owned by the
 * struct that carries them; those that nobody takes are closed with it.
 */
#pragma once

#include <stdbool.h>

#include "sandboxd/control/frame.h"

/* One received message and the memory its frame points into. Reuse it for the next. */
struct channel_message {
    struct frame frame;
    int fds[FRAME_DESCRIPTORS_MAX]; /* owned; -1 where taken */
    int fd_count;
    uint8_t bytes[FRAME_BYTES_MAX];
};

/* Both ends are close-on-exec. */
int channel_pair(int ret_fds[2], struct error *err);
int channel_set_nonblocking(int fd, struct error *err);
/* A blocking channel whose sends give up with ERROR_LIMIT after that time. */
int channel_limit_sends(int fd, int64_t timeout_ms, struct error *err);
/* Nothing but bytes arrives here: the kernel drops descriptors itself where it can (Linux 6.16),
 * because closing one that a guest has sent can take as long as the guest likes. */
void channel_refuse_descriptors(int fd);

/* Sends one frame with descriptors (borrowed). ERROR_LIMIT: a non-blocking channel is full
 * or the time of channel_limit_sends is over; nothing was sent. ERROR_MISSING: the peer is gone. */
int channel_send(int fd, enum frame_type type, uint64_t tag, const void *payload, size_t length,
                 const int *fds, int fd_count, struct error *err);

/* The same with a struct result_message; passed_fd: a descriptor to pass, or -1. */
int channel_send_result(int fd, enum frame_type type, uint64_t tag, int error_number,
                        const char *text, int passed_fd, struct error *err);

enum channel_outcome {
    CHANNEL_MESSAGE, /* *message is filled */
    CHANNEL_EMPTY,   /* non-blocking and nothing there */
    CHANNEL_CLOSED,  /* the peer is gone */
    CHANNEL_BROKEN,  /* *err says what: the peer does not keep the protocol */
};

/* Reads one message; message->fds left over from an earlier call are closed first. More than fd_max
 * descriptors are CHANNEL_BROKEN: pass 0 where the peer is a guest. */
enum channel_outcome channel_receive(int fd, int fd_max, struct channel_message *message,
                                     struct error *err);

/* Takes descriptor number `index` out of the message, or returns -1. */
int channel_take_fd(struct channel_message *message, int index);
/* Closes what nobody took. */
void channel_release(struct channel_message *message);
