#include "sandboxd/egress/rules.h"

#include <arpa/inet.h>
#include <string.h>

#include "sandboxd/sandbox/network.h"

enum {
    ETHERNET_BYTES = 14,
    ETHERNET_ADDRESS_BYTES = 6,
    ETHERNET_TYPE = 12,
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,

    IPV4_BYTES = 20, /* without options */
    IPV4_VERSION = 4,
    IPV4_TOTAL = 2,
    IPV4_FRAGMENT = 6,
    IPV4_FRAGMENT_OFFSET_MASK = 0x1fff,
    IPV4_TTL = 8,
    IPV4_PROTOCOL = 9,
    IPV4_CHECKSUM = 10,
    IPV4_SOURCE = 12,
    IPV4_TARGET = 16,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TRANSPORT_BYTES = 8, /* the shorter header of the two */
    TARGET_PORT = 2,     /* in both */
    DNS_PORT = 53,

    ICMP_BYTES = 8,
    ICMP_CHECKSUM = 2,
    ICMP_UNREACHABLE = 3,
    ICMP_PROHIBITED = 13,
    QUOTED_BYTES = RULES_ANSWER_BYTES - ETHERNET_BYTES - IPV4_BYTES - ICMP_BYTES,
    ANSWER_TTL = 64,
};

static unsigned read_u16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void write_u16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)read_u16(bytes) << 16 | read_u16(bytes + 2);
}

static uint32_t address_of(const char *text)
{
    struct in_addr address = {0};
    inet_pton(AF_INET, text, &address);
    return ntohl(address.s_addr);
}

int rules_check(const struct egress_message *rules, struct error *err)
{
    if (rules->range_count > EGRESS_RANGES_MAX)
        return error_set(err, ERROR_INVALID, "%u ranges are too many", rules->range_count);
    for (uint32_t i = 0; i < rules->range_count; i++) {
        if (rules->ranges[i].prefix > ADDRESS_PREFIX_MAX)
            return error_set(err, ERROR_INVALID, "range %u has a prefix of %u", i,
                             rules->ranges[i].prefix);
    }
    return 0;
}

static bool is_allowed(const struct egress_message *rules, uint32_t address)
{
    enum address_kind kind = address_kind_of(address);
    if (rules->range_count == 0 || kind == ADDRESS_LOCAL)
        return kind == ADDRESS_PUBLIC;
    return address_is_in(address, rules->ranges, rules->range_count);
}

static enum rules_verdict judge_ip(const struct egress_message *rules, const uint8_t *ip,
                                   size_t length, uint32_t *ret_address)
{
    if (length < IPV4_BYTES || ip[0] >> 4 != IPV4_VERSION)
        return RULES_DROP;
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t total = read_u16(ip + IPV4_TOTAL);
    if (header < IPV4_BYTES || total < header || total > length)
        return RULES_DROP;
    uint32_t address = read_u32(ip + IPV4_TARGET);
    if (address_kind_of(address) == ADDRESS_GROUP ||
        (ip[IPV4_PROTOCOL] != PROTOCOL_TCP && ip[IPV4_PROTOCOL] != PROTOCOL_UDP))
        return RULES_DROP;

    /* A later fragment has no port to look at, and the first has had the answer. */
    bool later = (read_u16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_OFFSET_MASK) > 0;
    if (!later && total < header + TRANSPORT_BYTES)
        return RULES_DROP;
    if (address == address_of(NETWORK_RESOLVER) && rules->names && !later &&
        read_u16(ip + header + TARGET_PORT) == DNS_PORT)
        return RULES_PASS;
    if (!is_allowed(rules, address))
        return later ? RULES_DROP : RULES_REFUSE;
    *ret_address = address;
    return RULES_ASK;
}

enum rules_verdict rules_judge(const struct egress_message *rules, const uint8_t *frame,
                               size_t length, uint32_t *ret_address)
{
    if (length < ETHERNET_BYTES)
        return RULES_DROP;
    switch (read_u16(frame + ETHERNET_TYPE)) {
    case TYPE_ARP:
        return RULES_PASS;
    case TYPE_IPV4:
        return judge_ip(rules, frame + ETHERNET_BYTES, length - ETHERNET_BYTES, ret_address);
    default:
        return RULES_DROP;
    }
}

/* RFC 1071. */
static unsigned checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i += 2)
        sum += read_u16(bytes + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

void rules_answer(const uint8_t *frame, uint8_t ret_answer[RULES_ANSWER_BYTES])
{
    const uint8_t *asked = frame + ETHERNET_BYTES;
    uint8_t *ip = ret_answer + ETHERNET_BYTES;
    uint8_t *icmp = ip + IPV4_BYTES;
    uint32_t gateway = htonl(address_of(NETWORK_GATEWAY));

    memset(ret_answer, 0, RULES_ANSWER_BYTES);
    memcpy(ret_answer, frame + ETHERNET_ADDRESS_BYTES, ETHERNET_ADDRESS_BYTES);
    memcpy(ret_answer + ETHERNET_ADDRESS_BYTES, frame, ETHERNET_ADDRESS_BYTES);
    write_u16(ret_answer + ETHERNET_TYPE, TYPE_IPV4);

    ip[0] = IPV4_VERSION << 4 | IPV4_BYTES / 4;
    write_u16(ip + IPV4_TOTAL, RULES_ANSWER_BYTES - ETHERNET_BYTES);
    ip[IPV4_TTL] = ANSWER_TTL;
    ip[IPV4_PROTOCOL] = PROTOCOL_ICMP;
    memcpy(ip + IPV4_SOURCE, &gateway, sizeof gateway);
    memcpy(ip + IPV4_TARGET, asked + IPV4_SOURCE, sizeof gateway);
    write_u16(ip + IPV4_CHECKSUM, checksum(ip, IPV4_BYTES));

    icmp[0] = ICMP_UNREACHABLE;
    icmp[1] = ICMP_PROHIBITED;
    memcpy(icmp + ICMP_BYTES, asked, QUOTED_BYTES);
    write_u16(icmp + ICMP_CHECKSUM, checksum(icmp, ICMP_BYTES + QUOTED_BYTES));
}
