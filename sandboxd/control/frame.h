/* frame: the private protocol's unit, one SOCK_SEQPACKET message.
 *
 * A header and a payload, both as they lie in memory (message.h says why). The tag is the session's
 * number between front and broker, the nonce of an execution between front and interpreter, and the
 * number of a request between front and file helper. Frames come from guests too: decoding is
 * total, bounded and fuzzed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum {
    FRAME_BYTES_MAX = 64 * 1024, /* our limit: code, results and listings travel in chunks */
    FRAME_HEADER_BYTES = 16,
    FRAME_PAYLOAD_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES,
    FRAME_DESCRIPTORS_MAX = 12,
};

enum frame_type {
    /* front -> interpreter; tag = nonce */
    FRAME_CODE = 1, /* payload: a chunk of UTF-8 source, all but the last */
    FRAME_RUN,      /* payload: the last chunk; run it */
    FRAME_COMMAND,  /* the same for a program of its own: words, each followed by a NUL */
    FRAME_PING,     /* answered by FRAME_PONG once the interpreter is idle */

    /* interpreter -> front; tag = nonce */
    FRAME_READY,        /* locked down and verified; tag 0 */
    FRAME_RESULT_TEXT,  /* payload: a chunk of the value's text */
    FRAME_RESULT_IMAGE, /* payload: a chunk of a PNG file */
    FRAME_REFUSALS,     /* payload: text, see sandboxd/link/refusals.h; at most once */
    FRAME_DONE,         /* payload: struct done_message */
    FRAME_PONG,

    /* front -> shell; tag = request number */
    FRAME_FILE_REQUEST, /* payload: struct file_request_message; FILE_COMMIT passes one descriptor
                         */
    /* shell -> front; tag = request number */
    FRAME_FILE_ENTRY, /* payload: struct file_entry_message */
    FRAME_FILE_DONE,  /* payload: struct result_message; FILE_OPEN and FILE_CREATE pass one
                         descriptor */

    /* front -> broker; tag = session number */
    FRAME_SESSION_START,  /* payload: struct session_limits_message */
    FRAME_SESSION_STORE,  /* payload: up to SESSION_BLOB_MAX bytes that only a front understands */
    FRAME_SESSION_REMOVE, /* answered by FRAME_SESSION_GONE when everything has been reaped */
    FRAME_INTERPRETER_JOIN,   /* answered by FRAME_INTERPRETER_JOINED or FRAME_SESSION_FAILED */
    FRAME_INTERPRETER_SIGNAL, /* SIGINT to the interpreter; answered by FRAME_INTERPRETER_SIGNALLED
                               */
    FRAME_INTERPRETER_KILL,   /* every guest process; answered by FRAME_INTERPRETER_GONE */
    /* broker -> front; tag = session number */
    FRAME_HELLO,         /* last frame of the greeting; tag = first free session number */
    FRAME_SESSION_ADOPT, /* before HELLO, to a new front: payload = the blob; descriptors as STARTED
                          */
    FRAME_SESSION_STARTED,    /* descriptors: shell channel, interpreter channel, stdout, stderr */
    FRAME_SESSION_FAILED,     /* payload: struct result_message; the session does not exist */
    FRAME_SESSION_GONE,       /* the shell and everything in it has ended and is reaped */
    FRAME_INTERPRETER_JOINED, /* descriptors: interpreter channel, stdout, stderr */
    FRAME_INTERPRETER_SIGNALLED,
    FRAME_INTERPRETER_GONE, /* payload: struct gone_message */
    FRAME_DENIED,           /* payload: struct denied_message; sent before the call returns */
    FRAME_IMAGE, /* tag 0, payload: what sessions have, in words that only a front understands;
                    after HELLO, as soon as a zygote has said it */

    /* broker -> zygote; tag = session number */
    FRAME_ZYGOTE_SETUP, /* payload: struct root_message; descriptor: the default
                           policy's profile */
    FRAME_JOIN, /* payload: struct join_message; descriptors: channel, stdout, stderr, cgroups, one
                   for FRAME_LISTENER when audited, the shell's pidfd, profile */
    /* zygote -> broker */
    FRAME_ZYGOTE_READY, /* imports are done; tag 0, payload as FRAME_IMAGE */
    FRAME_JOINED,       /* payload: its pid as u32; descriptor: its pidfd */
    FRAME_JOIN_FAILED,  /* payload: struct result_message */

    /* interpreter -> broker, on a channel for this one frame */
    FRAME_LISTENER, /* descriptor: the kernel asks there about refused calls; tag 0 */

    /* broker -> shell */
    FRAME_SHELL_SETUP,  /* payload: struct root_message; descriptors: the file helper's filter,
                           the profile of the session's policy, the shell's own filter */
    FRAME_SHELL_KEEP,   /* descriptors to hold for a later front: as FRAME_SESSION_STARTED, or as
                           FRAME_INTERPRETER_JOINED */
    FRAME_SHELL_RETURN, /* answered by FRAME_SHELL_KEPT */
    FRAME_SHELL_KILL,   /* SIGKILL to every process of the session but the shell; answered by
                           FRAME_SHELL_READY */
    /* shell -> broker */
    FRAME_SHELL_READY,  /* the first, with egress: the other end of the session's device */
    FRAME_SHELL_FAILED, /* payload: struct result_message */
    FRAME_SHELL_KEPT,   /* the descriptors of FRAME_SHELL_KEEP */

    /* broker -> egress */
    FRAME_EGRESS_START, /* payload: struct egress_message; descriptor: as FRAME_SHELL_READY */

    FRAME_TYPE_END,
};

struct frame {
    enum frame_type type;
    uint64_t tag;
    const uint8_t *payload; /* borrowed from the bytes that were decoded */
    size_t length;
};

/* Decodes one message. Too short or long, another magic, unknown types and a non-zero reserved
 * field are ERROR_INVALID. data is borrowed; *ret_frame points into it. */
int frame_decode(const uint8_t *data, size_t length, struct frame *ret_frame, struct error *err);

/* Writes the header for a frame of our own. */
void frame_encode_header(enum frame_type type, uint64_t tag,
                         uint8_t ret_header[FRAME_HEADER_BYTES]);
