#include "sandboxd/egress/own_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/core/cleanup.h"

static bool ask(uint32_t address)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    return fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) == 0 ||
           errno != EADDRNOTAVAIL;
}

bool own_addresses_hold(struct own_addresses *addresses, uint32_t address)
{
    int64_t now_ms = addresses->clock.now_ms(addresses->clock.self);
    size_t place = (address ^ address >> 8 ^ address >> 16 ^ address >> 24) % OWN_ADDRESS_MEMORY;
    if (addresses->memory[place].address != address ||
        addresses->memory[place].until_ms <= now_ms) {
        addresses->memory[place].address = address;
        addresses->memory[place].own = ask(address);
        addresses->memory[place].until_ms = now_ms + OWN_ADDRESS_MEMORY_MS;
    }
    return addresses->memory[place].own;
}
