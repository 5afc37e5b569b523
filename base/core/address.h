/* address: ranges of IPv4 addresses, as in 203.0.113.0/24. Addresses are numbers in the order of
 * the machine: 127.0.0.1 is 0x7f000001. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/error.h"

enum { ADDRESS_PREFIX_MAX = 32 };

struct address_range {
    uint32_t address; /* no bits behind the prefix */
    uint32_t prefix;
};

/* Whose an address is. */
enum address_kind {
    ADDRESS_PUBLIC,
    ADDRESS_PRIVATE, /* of a site, or of a carrier */
    ADDRESS_LOCAL,   /* this machine's own, its link's or the session's: no session gets there */
    ADDRESS_GROUP,   /* multicast, reserved, broadcast: nobody's */
};
enum address_kind address_kind_of(uint32_t address);

/* Reads ADDRESS/PREFIX, or an ADDRESS alone. ERROR_INVALID, with the remedy, for anything else, for
 * bits behind the prefix, and for a range that lies in one that no session gets to. */
int address_range_read(const char *text, struct address_range *ret_range, struct error *err);

/* The same form; an ADDRESS alone for a range of one. */
enum { ADDRESS_RANGE_TEXT_MAX = 19 }; /* the last NUL included */
void address_range_write(const struct address_range *range, char ret_text[ADDRESS_RANGE_TEXT_MAX]);

bool address_range_holds(const struct address_range *range, uint32_t address);
/* True when one of them holds it. */
bool address_is_in(uint32_t address, const struct address_range *ranges, size_t count);
/* True when one of them holds all of `range`. */
bool address_range_is_in(const struct address_range *range, const struct address_range *ranges,
                         size_t count);
/* True when an address of that kind lies in it. */
bool address_range_touches(const struct address_range *range, enum address_kind kind);
