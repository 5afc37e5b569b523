#include "sandboxd/control/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/control/message.h"

int channel_pair(int ret_fds[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
        return error_from_errno(err, "socketpair");
    return 0;
}

int channel_set_nonblocking(int fd, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return error_from_errno(err, "fcntl O_NONBLOCK");
    return 0;
}

int channel_limit_sends(int fd, int64_t timeout_ms, struct error *err)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
        return error_from_errno(err, "set a send time-out");
    return 0;
}

void channel_refuse_descriptors(int fd)
{
    enum { PASS_RIGHTS = 83 }; /* SO_PASSRIGHTS, newer than the headers */
    static const int off = 0;
    setsockopt(fd, SOL_SOCKET, PASS_RIGHTS, &off, sizeof off);
}

int channel_send(int fd, enum frame_type type, uint64_t tag, const void *payload, size_t length,
                 const int *fds, int fd_count, struct error *err)
{
    if (length > FRAME_PAYLOAD_MAX || fd_count > FRAME_DESCRIPTORS_MAX)
        return error_set(err, ERROR_INVALID, "frame too large");

    uint8_t header[FRAME_HEADER_BYTES];
    frame_encode_header(type, tag, header);
    struct iovec parts[2] = {
        {.iov_base = header, .iov_len = sizeof header},
        {.iov_base = (void *)payload, .iov_len = length},
    };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * FRAME_DESCRIPTORS_MAX)] = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = length ? 2 : 1};
    if (fd_count > 0) {
        size_t bytes = sizeof(int) * (size_t)fd_count;
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(c), fds, bytes);
    }

    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 0;

    error_from_errno(err, "send frame");
    if (err && (errno == EAGAIN || errno == EWOULDBLOCK))
        err->code = ERROR_LIMIT;
    if (err && (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN))
        err->code = ERROR_MISSING;
    return -1;
}

int channel_send_result(int fd, enum frame_type type, uint64_t tag, int error_number,
                        const char *text, int passed_fd, struct error *err)
{
    struct result_message result;
    size_t length = message_fill_result(&result, error_number, text);
    return channel_send(fd, type, tag, &result, length, &passed_fd, passed_fd >= 0, err);
}

static void collect_descriptors(struct msghdr *header, struct channel_message *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (message->fd_count < FRAME_DESCRIPTORS_MAX)
                message->fds[message->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

enum channel_outcome channel_receive(int fd, int fd_max, struct channel_message *message,
                                     struct error *err)
{
    channel_release(message);

    struct iovec part = {.iov_base = message->bytes, .iov_len = sizeof message->bytes};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * FRAME_DESCRIPTORS_MAX)];
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };

    ssize_t n;
    do {
        n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return CHANNEL_EMPTY;
    if (n < 0 && errno == ECONNRESET)
        return CHANNEL_CLOSED;
    if (n < 0) {
        error_from_errno(err, "receive frame");
        return CHANNEL_BROKEN;
    }
    collect_descriptors(&header, message);
    if (n == 0 && message->fd_count == 0)
        return CHANNEL_CLOSED;

    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || message->fd_count > fd_max) {
        channel_release(message);
        error_set(err, ERROR_INVALID, "a frame that is too large or has too many descriptors");
        return CHANNEL_BROKEN;
    }
    if (frame_decode(message->bytes, (size_t)n, &message->frame, err) < 0) {
        channel_release(message);
        return CHANNEL_BROKEN;
    }
    return CHANNEL_MESSAGE;
}

int channel_take_fd(struct channel_message *message, int index)
{
    if (index >= message->fd_count)
        return -1;
    return TAKE_FD(message->fds[index]);
}

void channel_release(struct channel_message *message)
{
    for (int i = 0; i < message->fd_count; i++)
        close_fd(&message->fds[i]);
    message->fd_count = 0;
}
