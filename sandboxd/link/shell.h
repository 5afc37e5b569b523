/* shell: the front's end of one session's shell, which reaches the files of the data directory.
 *
 * Each request is answered by a helper process inside the session; answers may come in any order.
 * Descriptors come back open, so that the front never meets a path of the session.
 */
#pragma once

#include <stdbool.h>

#include "base/core/loop.h"
#include "sandboxd/link/outbox.h"
#include "sandboxd/payload/payload.h"

enum {
    /* A shell that owes an answer and says nothing for so long is broken: as long as the broker
     * waits for one (our limit). Each frame of an answer counts. */
    SHELL_SILENCE_MS = 10000,
};

struct shell_request {
    /* One entry of the answer; the path is borrowed. May be NULL. */
    void (*on_entry)(void *self, const struct file_entry_message *entry);
    /* The end of the answer. error_number is 0 or an errno; fd is taken by the callee, -1 where the
     * operation passes none. */
    void (*on_done)(void *self, int error_number, int fd);
    void *self;

    /* private */
    struct shell *shell; /* NULL while not under way */
    uint64_t tag;
    struct shell_request *next;
};

struct shell {
    struct loop *loop;
    int channel_fd;
    struct watch watch;
    struct outbox outbox;
    struct shell_request *requests;
    struct timer silence;          /* while there are requests */
    void (*on_broken)(void *self); /* the peer is gone, silent or breaks the protocol */
    void *self;
};

void shell_create(struct shell *shell, struct loop *loop, void (*on_broken)(void *self),
                  void *self);
/* channel_fd is taken. */
int shell_attach(struct shell *shell, int channel_fd, struct error *err);
/* Requests under way end with ESRCH; those of a silent shell with ETIMEDOUT, before on_broken. */
void shell_close(struct shell *shell);

/* path must be payload_path_is_safe. fd is taken (-1: none). */
void shell_send(struct shell *shell, struct shell_request *request, enum file_operation operation,
                bool recursive, const char *path, int fd);
/* Forgets a request: nothing more is called for it. Harmless on one that is not under way. */
void shell_cancel(struct shell_request *request);
