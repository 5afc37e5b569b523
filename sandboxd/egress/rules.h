/* rules: which packets of a session may leave it.
 *
 * Runs in: sandboxd-egress, on every Ethernet frame that a session sends, before the network stack
 * sees it. Pure: a frame goes in, a verdict comes out. Routes in the session decide nothing, since
 * a guest chooses the interface of a datagram itself (IP_PKTINFO) and routes are ignored then.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"
#include "sandboxd/control/message.h"

enum { RULES_ANSWER_BYTES = 14 + 20 + 8 + 28 };

enum rules_verdict {
    RULES_DROP,   /* nothing that has an answer: IPv6, a broken header, multicast */
    RULES_REFUSE, /* to be answered, so that nobody waits for a time-out */
    RULES_PASS,   /* for the session's own network: neighbours and names */
    RULES_ASK,    /* passes unless the address is one of the machine */
};

/* ERROR_INVALID for what the front must not send: too many ranges, or broken ones. */
int rules_check(const struct egress_message *rules, struct error *err);

/* *ret_address, where the frame goes to, is set with RULES_ASK only. */
enum rules_verdict rules_judge(const struct egress_message *rules, const uint8_t *frame,
                               size_t length, uint32_t *ret_address);

/* The answer to a frame that was refused: ICMP, "administratively prohibited", from the gateway.
 * connect() fails with EHOSTUNREACH at once. */
void rules_answer(const uint8_t *frame, uint8_t ret_answer[RULES_ANSWER_BYTES]);
