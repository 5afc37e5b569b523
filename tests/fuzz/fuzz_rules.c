#include "sandboxd/egress/rules.h"
#include "tests/fuzz/fuzz.h"

enum { ETHERNET_BYTES = 14, IPV4_TARGET = ETHERNET_BYTES + 16 };

/* Whatever a guest sends, what passes goes to an address that the rules allow, and what is refused
 * can be answered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct egress_message rules[] = {
        {.names = 1},
        {.range_count = 2, .ranges = {{0x0a010000, 16}, {0xcb007101, 32}}},
        {.range_count = 1, .ranges = {{0, 0}}},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        uint8_t answer[RULES_ANSWER_BYTES];
        uint32_t address = 0;
        enum rules_verdict verdict = rules_judge(&rules[i], data, size, &address);
        if (verdict == RULES_REFUSE)
            rules_answer(data, answer);
        if (verdict != RULES_ASK)
            continue;
        CHECK(address_kind_of(address) < ADDRESS_LOCAL);
        CHECK(rules[i].range_count == 0
                  ? address_kind_of(address) == ADDRESS_PUBLIC
                  : address_is_in(address, rules[i].ranges, rules[i].range_count));
        CHECK(data[IPV4_TARGET] == address >> 24 && data[IPV4_TARGET + 3] == (address & 255));
    }
    return 0;
}
