/* own_address: is that an address of this machine?
 *
 * The kernel is asked, so that addresses that come later count too: only to its own addresses can a
 * socket be bound. Answers are remembered for a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/core/clock.h"
#include "base/core/error.h"

enum { OWN_ADDRESS_MEMORY = 64, OWN_ADDRESS_MEMORY_MS = 1000 };

/* Begins with zeros and a clock. */
struct own_addresses {
    struct clock clock;
    struct {
        uint32_t address;
        bool own;
        int64_t until_ms;
    } memory[OWN_ADDRESS_MEMORY];
};

/* True too when the kernel does not tell. */
bool own_addresses_hold(struct own_addresses *addresses, uint32_t address);
