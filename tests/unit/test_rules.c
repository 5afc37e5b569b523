#include "sandboxd/egress/rules.h"

#include <string.h>

#include "tests/support/unit.h"

enum { TCP = 6, UDP = 17, ICMP = 1, HEADERS = 14 + 20, FRAME = HEADERS + 20 };

static const struct egress_message public_internet = {.names = 1};

/* An Ethernet frame with an IPv4 packet from 192.0.0.2. */
static void make_frame(uint8_t frame[FRAME], int protocol, uint32_t address, unsigned port)
{
    memset(frame, 0, FRAME);
    memset(frame, 0x11, 6);
    memset(frame + 6, 0x22, 6);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = FRAME - 14;
    frame[23] = (uint8_t)protocol;
    memcpy(frame + 26, (uint8_t[]){192, 0, 0, 2}, 4);
    for (int i = 0; i < 4; i++)
        frame[30 + i] = (uint8_t)(address >> (24 - 8 * i));
    frame[HEADERS + 2] = (uint8_t)(port >> 8);
    frame[HEADERS + 3] = (uint8_t)port;
}

static enum rules_verdict judge(const struct egress_message *rules, int protocol, uint32_t address,
                                unsigned port)
{
    uint8_t frame[FRAME];
    uint32_t asked = 0;
    make_frame(frame, protocol, address, port);
    enum rules_verdict verdict = rules_judge(rules, frame, sizeof frame, &asked);
    assert_int_equal(asked, verdict == RULES_ASK ? address : 0);
    return verdict;
}

static void without_ranges_the_public_internet_is_reached(void **state)
{
    (void)state;
    assert_int_equal(judge(&public_internet, TCP, 0xcb007101, 80), RULES_ASK);
    assert_int_equal(judge(&public_internet, UDP, 0x08080808, 53), RULES_ASK);
    static const uint32_t refused[] = {
        0x0a000001, 0x64400001, 0xac100001, 0xc0a80001, /* private */
        0x7f000001, 0x00000000, 0xa9fea9fe,             /* the machine and its link */
        0xc0000001, 0xc0000002, 0xc0000004,             /* the session's network */
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(judge(&public_internet, TCP, refused[i], 80), RULES_REFUSE);
}

static void with_ranges_nothing_else_is_reached(void **state)
{
    (void)state;
    const struct egress_message rules = {.range_count = 2,
                                         .ranges = {{0x0a010000, 16}, {0xcb007101, 32}}};
    assert_int_equal(judge(&rules, TCP, 0x0a01ffff, 80), RULES_ASK);
    assert_int_equal(judge(&rules, TCP, 0x0a020000, 80), RULES_REFUSE);
    assert_int_equal(judge(&rules, UDP, 0xcb007101, 80), RULES_ASK);
    assert_int_equal(judge(&rules, UDP, 0xcb007102, 80), RULES_REFUSE);
}

static void a_range_around_everything_leaves_the_machine_out(void **state)
{
    (void)state;
    const struct egress_message rules = {.range_count = 1, .ranges = {{0, 0}}};
    assert_int_equal(judge(&rules, TCP, 0x0a000001, 80), RULES_ASK);
    assert_int_equal(judge(&rules, TCP, 0x7f000001, 80), RULES_REFUSE);
    assert_int_equal(judge(&rules, TCP, 0xa9fea9fe, 80), RULES_REFUSE);
    assert_int_equal(judge(&rules, UDP, 0xe0000001, 80), RULES_DROP);
    assert_int_equal(judge(&rules, UDP, UINT32_MAX, 80), RULES_DROP);
}

static void the_resolver_answers_names_only(void **state)
{
    (void)state;
    const struct egress_message nameless = {.names = 0};
    assert_int_equal(judge(&public_internet, UDP, 0xc0000003, 53), RULES_PASS);
    assert_int_equal(judge(&public_internet, TCP, 0xc0000003, 53), RULES_PASS);
    assert_int_equal(judge(&public_internet, UDP, 0xc0000003, 67), RULES_REFUSE);
    assert_int_equal(judge(&nameless, UDP, 0xc0000003, 53), RULES_REFUSE);

    /* What looks like the port in a later fragment is none. */
    uint8_t frame[FRAME];
    uint32_t address;
    make_frame(frame, UDP, 0xc0000003, 53);
    frame[21] = 1;
    assert_int_equal(rules_judge(&public_internet, frame, sizeof frame, &address), RULES_DROP);
}

static void what_is_no_packet_of_tcp_or_udp_is_dropped(void **state)
{
    (void)state;
    uint8_t frame[FRAME];
    uint32_t address;
    assert_int_equal(judge(&public_internet, ICMP, 0x08080808, 0), RULES_DROP);
    assert_int_equal(judge(&public_internet, 132, 0x08080808, 0), RULES_DROP);
    make_frame(frame, TCP, 0x08080808, 80);
    for (size_t length = 0; length < FRAME; length++)
        assert_int_equal(rules_judge(&public_internet, frame, length, &address), RULES_DROP);
    frame[14] = 0x65; /* version 6 */
    assert_int_equal(rules_judge(&public_internet, frame, FRAME, &address), RULES_DROP);
    frame[14] = 0x44; /* a header too short */
    assert_int_equal(rules_judge(&public_internet, frame, FRAME, &address), RULES_DROP);
    frame[14] = 0x4f; /* one longer than the packet */
    assert_int_equal(rules_judge(&public_internet, frame, FRAME, &address), RULES_DROP);
    make_frame(frame, TCP, 0x08080808, 80);
    frame[12] = 0x86; /* IPv6 */
    frame[13] = 0xdd;
    assert_int_equal(rules_judge(&public_internet, frame, FRAME, &address), RULES_DROP);
    frame[12] = 0x08; /* ARP */
    frame[13] = 0x06;
    assert_int_equal(rules_judge(&public_internet, frame, FRAME, &address), RULES_PASS);
}

static unsigned sum_of(const uint8_t *bytes, size_t length)
{
    unsigned sum = 0;
    for (size_t i = 0; i < length; i += 2)
        sum += (unsigned)bytes[i] << 8 | bytes[i + 1];
    return (sum & 0xffff) + (sum >> 16);
}

static void a_refusal_is_answered_by_the_gateway(void **state)
{
    (void)state;
    uint8_t frame[FRAME], answer[RULES_ANSWER_BYTES];
    make_frame(frame, TCP, 0x7f000001, 80);
    rules_answer(frame, answer);
    assert_memory_equal(answer, frame + 6, 6);
    assert_memory_equal(answer + 6, frame, 6);
    assert_int_equal(sum_of(answer + 14, 20), 0xffff);
    assert_int_equal(sum_of(answer + HEADERS, RULES_ANSWER_BYTES - HEADERS), 0xffff);
    assert_memory_equal(answer + 26, ((uint8_t[]){192, 0, 0, 1, 192, 0, 0, 2}), 8);
    assert_int_equal(answer[HEADERS], 3);
    assert_int_equal(answer[HEADERS + 1], 13);
    assert_memory_equal(answer + HEADERS + 8, frame + 14, 28);
}

static void broken_rules_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct egress_message rules = {.range_count = EGRESS_RANGES_MAX};
    assert_int_equal(rules_check(&rules, &err), 0);
    rules.ranges[31].prefix = 33;
    assert_int_equal(rules_check(&rules, &err), -1);
    assert_error(err, ERROR_INVALID, "33");
    rules.range_count = EGRESS_RANGES_MAX + 1;
    assert_int_equal(rules_check(&rules, &err), -1);
    assert_error(err, ERROR_INVALID, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_ranges_the_public_internet_is_reached),
        cmocka_unit_test(with_ranges_nothing_else_is_reached),
        cmocka_unit_test(a_range_around_everything_leaves_the_machine_out),
        cmocka_unit_test(the_resolver_answers_names_only),
        cmocka_unit_test(what_is_no_packet_of_tcp_or_udp_is_dropped),
        cmocka_unit_test(a_refusal_is_answered_by_the_gateway),
        cmocka_unit_test(broken_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
