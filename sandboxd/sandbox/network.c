#include "sandboxd/sandbox/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cleanup.h"

static struct sockaddr internet_address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sockaddr general;
    inet_pton(AF_INET, text, &address.sin_addr);
    memcpy(&general, &address, sizeof general);
    return general;
}

static int bring_up(const char *name, struct error *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return error_from_errno(err, "bring %s up", name);
    return 0;
}

/* The old calls, not rtnetlink: three of them do. */
static int configure(struct ifreq *request, struct error *err)
{
    struct rtentry route = {
        .rt_dst = internet_address("0.0.0.0"),
        .rt_genmask = internet_address("0.0.0.0"),
        .rt_gateway = internet_address(NETWORK_GATEWAY),
        .rt_flags = RTF_UP | RTF_GATEWAY,
    };
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request->ifr_addr = internet_address(NETWORK_SESSION);
    if (fd < 0 || ioctl(fd, SIOCSIFADDR, request) < 0)
        return error_from_errno(err, "give %s its address", request->ifr_name);
    request->ifr_netmask = internet_address(NETWORK_MASK);
    if (ioctl(fd, SIOCSIFNETMASK, request) < 0)
        return error_from_errno(err, "give %s its mask", request->ifr_name);
    if (bring_up(request->ifr_name, err) < 0)
        return -1;
    return ioctl(fd, SIOCADDRT, &route) < 0 ? error_from_errno(err, "add the default route") : 0;
}

int network_loopback_up(struct error *err)
{
    return bring_up("lo", err);
}

int network_attach(int *ret_fd, struct error *err)
{
    AUTO_CLOSE int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "open /dev/net/tun");
    struct ifreq request = {.ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI};
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return error_from_errno(err, "make eth0");
    if (configure(&request, err) < 0)
        return -1;
    *ret_fd = TAKE_FD(fd);
    return 0;
}
