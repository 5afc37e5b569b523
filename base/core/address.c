#include "base/core/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is not listed is public. */
static const struct {
    struct address_range range;
    enum address_kind kind;
    const char *name;
} blocks[] = {
    {{0x00000000, 8}, ADDRESS_LOCAL, "\"this host\""}, /* the kernel takes it for loopback */
    {{0x7f000000, 8}, ADDRESS_LOCAL, "loopback"},
    {{0xa9fe0000, 16}, ADDRESS_LOCAL, "link-local"}, /* metadata services are there */
    {{0xc0000000, 29}, ADDRESS_LOCAL, "the session's own network"},
    {{0x0a000000, 8}, ADDRESS_PRIVATE, "private"},
    {{0x64400000, 10}, ADDRESS_PRIVATE, "a carrier's"},
    {{0xac100000, 12}, ADDRESS_PRIVATE, "private"},
    {{0xc0a80000, 16}, ADDRESS_PRIVATE, "private"},
    {{0xe0000000, 4}, ADDRESS_GROUP, "multicast"},
    {{0xf0000000, 4}, ADDRESS_GROUP, "reserved"},
};
enum { BLOCKS = sizeof blocks / sizeof *blocks };

static uint32_t mask_of(uint32_t prefix)
{
    return prefix == 0 ? 0 : UINT32_MAX << (ADDRESS_PREFIX_MAX - prefix);
}

/* One or two digits. False for a prefix that is none. */
static bool read_prefix(const char *text, uint32_t *ret_prefix)
{
    size_t length = strlen(text);
    if (length < 1 || length > 2 || strspn(text, "0123456789") != length)
        return false;
    *ret_prefix = (uint32_t)(text[0] - '0');
    if (length == 2)
        *ret_prefix = *ret_prefix * 10 + (uint32_t)(text[1] - '0');
    return *ret_prefix <= ADDRESS_PREFIX_MAX;
}

int address_range_read(const char *text, struct address_range *ret_range, struct error *err)
{
    struct address_range range = {.prefix = ADDRESS_PREFIX_MAX};
    char host[INET_ADDRSTRLEN] = "";
    struct in_addr address;
    size_t length = strcspn(text, "/");
    if (length < sizeof host)
        memcpy(host, text, length);
    if (inet_pton(AF_INET, host, &address) != 1 ||
        (text[length] == '/' && !read_prefix(text + length + 1, &range.prefix)))
        return error_set(err, ERROR_INVALID,
                         "is \"%.64s\"; write IPv4 ranges, such as \"203.0.113.0/24\"", text);

    uint32_t given = ntohl(address.s_addr);
    range.address = given & mask_of(range.prefix);
    if (range.address != given) {
        address.s_addr = htonl(range.address);
        inet_ntop(AF_INET, &address, host, sizeof host);
        return error_set(err, ERROR_INVALID,
                         "is \"%.64s\", with bits behind the prefix; write \"%s/%" PRIu32
                         "\" for the whole range or \"%.*s/32\" for the one address",
                         text, host, range.prefix, (int)length, text);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].kind >= ADDRESS_LOCAL && address_range_is_in(&range, &blocks[i].range, 1))
            return error_set(err, ERROR_INVALID, "is \"%.64s\", which is %s: no session gets there",
                             text, blocks[i].name);
    }
    *ret_range = range;
    return 0;
}

void address_range_write(const struct address_range *range, char ret_text[ADDRESS_RANGE_TEXT_MAX])
{
    const struct in_addr address = {htonl(range->address)};
    inet_ntop(AF_INET, &address, ret_text, ADDRESS_RANGE_TEXT_MAX);
    size_t length = strlen(ret_text);
    if (range->prefix < ADDRESS_PREFIX_MAX)
        snprintf(ret_text + length, ADDRESS_RANGE_TEXT_MAX - length, "/%" PRIu32, range->prefix);
}

enum address_kind address_kind_of(uint32_t address)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (address_range_holds(&blocks[i].range, address))
            return blocks[i].kind;
    }
    return ADDRESS_PUBLIC;
}

bool address_range_holds(const struct address_range *range, uint32_t address)
{
    return ((address ^ range->address) & mask_of(range->prefix)) == 0;
}

bool address_is_in(uint32_t address, const struct address_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (address_range_holds(&ranges[i], address))
            return true;
    }
    return false;
}

bool address_range_is_in(const struct address_range *range, const struct address_range *ranges,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].prefix <= range->prefix && address_range_holds(&ranges[i], range->address))
            return true;
    }
    return false;
}

bool address_range_touches(const struct address_range *range, enum address_kind kind)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].kind == kind && (address_range_is_in(&blocks[i].range, range, 1) ||
                                       address_range_is_in(range, &blocks[i].range, 1)))
            return true;
    }
    return false;
}
