/* message: what is inside the payloads of frames.
 *
 * Both ends are programs of one build on one machine, so a payload is one of these structs as it
 * lies in memory; none has padding. A struct that ends in a text travels with as many bytes of it
 * as the text is long. Readers take untrusted bytes: the length must fit, a text holds no NUL and
 * is terminated afterwards, and what a guest or the front may send is checked field by field. What
 * front, interpreters and file helpers alone say to each other is in sandboxd/payload.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/address.h"
#include "base/core/error.h"
#include "sandboxd/control/frame.h"

enum {
    SESSION_BLOB_MAX = 1024,
    RESULT_TEXT_MAX = 512,
};

/* FRAME_*_FAILED, FRAME_FILE_DONE: an errno (0: it worked) and a sentence for the log */
struct result_message {
    uint32_t error_number;
    char text[RESULT_TEXT_MAX];
};
/* Fills it, cutting the text, and returns the length of the payload. */
size_t message_fill_result(struct result_message *ret_message, int error_number, const char *text);
int message_read_result(const struct frame *frame, struct result_message *ret_message,
                        struct error *err);

/* The length of the payload of a struct that ends in a text. */
#define MESSAGE_LENGTH(message, text)                                                              \
    (offsetof(__typeof__(*(message)), text) + strlen((message)->text))

/* FRAME_SESSION_START: what a session is and may use */
enum session_start {
    START_FORK, /* interpreters are forks of a zygote that many sessions have in common */
    START_EXEC, /* each has a zygote of its own, which ends with the fork */
    START_BARE, /* the same, with no modules imported ahead */
    START_END,
};
enum session_network { NETWORK_CLOSED, NETWORK_EGRESS, NETWORK_END };
/* Where sessions with NETWORK_EGRESS get to; FRAME_EGRESS_START too. */
enum { EGRESS_RANGES_MAX = 32 };
struct egress_message {
    uint32_t names;       /* 1: names are resolved */
    uint32_t range_count; /* 0: the public internet, else these and nothing else */
    struct address_range ranges[EGRESS_RANGES_MAX];
};
struct session_plan_message {
    uint64_t memory_bytes; /* a limit of 0 is refused by the reader */
    uint64_t data_bytes;
    uint32_t data_inodes;
    uint32_t tasks;
    uint32_t cpu_percent;         /* of one core: 100 is one core's worth */
    uint8_t policy;               /* its place in the broker's list */
    uint8_t start;                /* enum session_start */
    uint8_t network;              /* enum session_network */
    uint8_t audit;                /* 1: refused calls are told to the front */
    struct egress_message egress; /* the broker passes it on */
};
int message_read_session_plan(const struct frame *frame, struct session_plan_message *ret_message,
                              struct error *err);

/* FRAME_JOIN */
struct join_message {
    uint64_t memory_bytes; /* of the session, as is the next */
    uint32_t tasks;
    uint16_t cgroup_version; /* 0: no cgroup limits them, the interpreter must */
    uint16_t audit;          /* 1: the filter asks, and the last descriptor takes its listener */
};

/* FRAME_INTERPRETER_GONE */
struct gone_message {
    uint32_t wait_status;   /* as wait(2) gives it */
    uint32_t out_of_memory; /* 1: the kernel killed it for the session's memory limit */
};

/* FRAME_DENIED: a system call that the policy refuses, by its registers */
struct denied_message {
    uint64_t number;
    uint64_t arguments[6];
};

/* FRAME_SHELL_SETUP, FRAME_ZYGOTE_SETUP: what differs in the root */
struct root_message {
    uint64_t data_bytes;
    uint32_t data_inodes;
    uint16_t network; /* enum session_network */
    uint16_t names;   /* 1: names are resolved */
};

/* Any struct without a text, from a process that is trusted with its fields. */
int message_read(const struct frame *frame, void *ret_message, size_t size, struct error *err);
/* Any struct that ends in a text: `head` bytes, then less than `text_size` bytes of it. */
int message_read_with_text(const struct frame *frame, void *ret_message, size_t head,
                           size_t text_size, struct error *err);
#define MESSAGE_READ_WITH_TEXT(frame, message, text, err)                                          \
    message_read_with_text(frame, message, offsetof(__typeof__(*(message)), text),                 \
                           sizeof(message)->text, err)
/* ERROR_INVALID unless its fields are good. */
int message_check(bool good, const struct frame *frame, struct error *err);
