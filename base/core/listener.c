#include "base/core/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

enum { LISTENER_BACKLOG = 511, LISTENER_HOST_MAX = 256 };

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static struct addrinfo *resolve(const struct listener_address *address, struct error *err)
{
    struct addrinfo *found = NULL;
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    const char *option = address->option, *listen = address->text;
    char host[LISTENER_HOST_MAX];
    const char *colon = strrchr(listen, ':');
    size_t length = colon ? (size_t)(colon - listen) : 0;
    if (length == 0 || length >= sizeof host || colon[1] == '\0') {
        error_set(err, ERROR_INVALID, "%s %s: must be ADDRESS:PORT", option, listen);
        return NULL;
    }
    uint64_t port;
    if (!text_parse_u64(colon + 1, &port) || port > UINT16_MAX) {
        error_set(err, ERROR_INVALID, "%s %s: the port must be 0 to 65535", option, listen);
        return NULL;
    }
    memcpy(host, listen, length);
    host[length] = '\0';
    char *name = host;
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        name = host + 1;
    }
    int result = getaddrinfo(name, colon + 1, &hints, &found);
    if (result != 0) {
        error_set(err, ERROR_INVALID, "%s %s: %s", option, listen, gai_strerror(result));
        return NULL;
    }
    return found;
}

int listener_open(const struct listener_address *address, int *ret_fd, struct error *err)
{
    static const int on = 1;
    struct addrinfo *found = resolve(address, err);
    if (!found)
        return -1;
    if (!is_loopback(found->ai_addr) && !address->may_be_remote) {
        freeaddrinfo(found);
        return error_set(
            err, ERROR_DENIED,
            "%s %s: anybody who reaches this address could run code; listen on 127.0.0.1, "
            "check tokens with --auth jwt, or add --insecure if that is meant",
            address->option, address->text);
    }
    AUTO_CLOSE int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (result == 0)
        result = bind(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (result < 0 || listen(fd, LISTENER_BACKLOG) < 0)
        return error_from_errno(err, "%s %s", address->option, address->text);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
