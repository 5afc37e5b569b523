#include "sandboxd/link/shell.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "sandboxd/control/channel.h"

static struct channel_message received;

void shell_create(struct shell *shell, struct loop *loop, void (*on_broken)(void *self), void *self)
{
    *shell = (struct shell){.loop = loop, .channel_fd = -1, .on_broken = on_broken, .self = self};
}

static struct shell_request *find_request(const struct shell *shell, uint64_t tag)
{
    struct shell_request *request = shell->requests;
    while (request && request->tag != tag)
        request = request->next;
    return request;
}

void shell_cancel(struct shell_request *request)
{
    struct shell *shell = request->shell;
    if (!shell)
        return;
    struct shell_request **place = &shell->requests;
    while (*place != request)
        place = &(*place)->next;
    *place = request->next;
    request->shell = NULL;
    if (!shell->requests)
        loop_stop_timer(shell->loop, &shell->silence);
}

static void finish(struct shell_request *request, int error_number, int fd)
{
    shell_cancel(request);
    request->on_done(request->self, error_number, fd);
}

void shell_close(struct shell *shell)
{
    loop_unwatch(shell->loop, &shell->watch);
    outbox_close(&shell->outbox);
    close_fd(&shell->channel_fd);
    while (shell->requests)
        finish(shell->requests, ESRCH, -1);
}

static int on_entry_frame(struct shell_request *request, const struct frame *frame)
{
    struct file_entry_message entry;
    if (payload_read_file_entry(frame, &entry, NULL) < 0)
        return -1;
    if (request->on_entry)
        request->on_entry(request->self, &entry);
    return 0;
}

static int on_done_frame(struct shell_request *request, const struct frame *frame)
{
    struct result_message result;
    if (message_read_result(frame, &result, NULL) < 0)
        return -1;
    int fd = channel_take_fd(&received, 0);
    finish(request, (int)result.error_number, fd);
    return 0;
}

static int on_frame(struct shell *shell, const struct frame *frame)
{
    if (frame->type != FRAME_FILE_ENTRY && frame->type != FRAME_FILE_DONE)
        return -1;
    /* No such request: it was cancelled, or an earlier front sent it. */
    struct shell_request *request = find_request(shell, frame->tag);
    if (!request)
        return 0;
    return frame->type == FRAME_FILE_ENTRY ? on_entry_frame(request, frame)
                                           : on_done_frame(request, frame);
}

static void on_silence(void *self)
{
    struct shell *shell = self;
    while (shell->requests)
        finish(shell->requests, ETIMEDOUT, -1);
    loop_unwatch(shell->loop, &shell->watch);
    shell->on_broken(shell->self);
}

static void await_answer(struct shell *shell)
{
    loop_start_timer(shell->loop, &shell->silence, loop_now_ms(shell->loop) + SHELL_SILENCE_MS,
                     on_silence, shell);
}

static void on_ready(void *self, uint32_t events)
{
    struct shell *shell = self;
    if (events & EPOLLOUT)
        outbox_flush(&shell->outbox);
    if (!(events & ~(uint32_t)EPOLLOUT))
        return;

    if (shell->requests)
        await_answer(shell);
    enum channel_outcome outcome = channel_receive(shell->channel_fd, 1, &received, NULL);
    if (outcome == CHANNEL_EMPTY)
        return;
    if (outcome == CHANNEL_MESSAGE && on_frame(shell, &received.frame) == 0) {
        channel_release(&received);
        return;
    }
    channel_release(&received);
    loop_unwatch(shell->loop, &shell->watch);
    shell->on_broken(shell->self);
}

int shell_attach(struct shell *shell, int channel_fd, struct error *err)
{
    shell->channel_fd = channel_fd;
    if (channel_set_nonblocking(channel_fd, err) < 0 ||
        loop_watch(shell->loop, &shell->watch, channel_fd, EPOLLIN, on_ready, shell, err) < 0)
        return -1;
    outbox_open(&shell->outbox, shell->loop, &shell->watch);
    return 0;
}

/* Tags start anywhere, so that an answer to an earlier front is not taken for one of ours. */
static uint64_t next_tag(void)
{
    static uint64_t tag;
    if (tag == 0)
        random_bytes(&tag, sizeof tag);
    return ++tag;
}

void shell_send(struct shell *shell, struct shell_request *request, enum file_operation operation,
                bool recursive, const char *path, int fd)
{
    assert(!request->shell);
    request->shell = shell;
    request->tag = next_tag();
    request->next = shell->requests;
    if (!shell->requests)
        await_answer(shell);
    shell->requests = request;

    struct file_request_message message = {.operation = operation, .recursive = recursive};
    snprintf(message.path, sizeof message.path, "%s", path);
    outbox_send(&shell->outbox, FRAME_FILE_REQUEST, request->tag, &message,
                MESSAGE_LENGTH(&message, path), fd);
}
