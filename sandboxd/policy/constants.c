#include "sandboxd/policy/constants.h"

#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

static const struct {
    const char *name;
    uint64_t value;
} constants[] = {
    {"AF_UNIX", AF_UNIX},
    {"AF_INET", AF_INET},
    {"AF_INET6", AF_INET6},
    {"SOCK_STREAM", SOCK_STREAM},
    {"SOCK_DGRAM", SOCK_DGRAM},
    {"SOCK_TYPE_MASK", 0xF},
    {"IPPROTO_TCP", IPPROTO_TCP},
    {"IPPROTO_UDP", IPPROTO_UDP},
    /* every CLONE_NEW* that clone(2) takes (mount, cgroup, uts, ipc, user, pid, net), CLONE_PARENT
     */
    {"CLONE_REFUSED", 0x7E020000 | 0x8000},
    {"PROT_EXEC", PROT_EXEC},
    {"MAP_HUGETLB", MAP_HUGETLB},
    {"MFD_HUGETLB", MFD_HUGETLB},
    {"SHM_HUGETLB", SHM_HUGETLB},
    {"SOL_SOCKET", SOL_SOCKET},
    {"SO_TYPE", SO_TYPE},
    {"SO_ERROR", SO_ERROR},
    {"SO_REUSEADDR", SO_REUSEADDR},
    {"SO_BROADCAST", SO_BROADCAST},
    {"SO_SNDBUF", SO_SNDBUF},
    {"SO_RCVBUF", SO_RCVBUF},
    {"SO_KEEPALIVE", SO_KEEPALIVE},
    {"SO_OOBINLINE", SO_OOBINLINE},
    {"SO_LINGER", SO_LINGER},
    {"SO_REUSEPORT", SO_REUSEPORT},
    {"SO_PASSCRED", SO_PASSCRED},
    {"SO_PEERCRED", SO_PEERCRED},
    {"SO_RCVLOWAT", SO_RCVLOWAT},
    {"SO_RCVTIMEO", SO_RCVTIMEO},
    {"SO_SNDTIMEO", SO_SNDTIMEO},
    {"SO_TIMESTAMP", SO_TIMESTAMP},
    {"SO_ACCEPTCONN", SO_ACCEPTCONN},
    {"SO_PROTOCOL", SO_PROTOCOL},
    {"SO_DOMAIN", SO_DOMAIN},
    {"TCP_NODELAY", TCP_NODELAY},
    {"TCP_MAXSEG", TCP_MAXSEG},
    {"TCP_CORK", TCP_CORK},
    {"TCP_KEEPIDLE", TCP_KEEPIDLE},
    {"TCP_KEEPINTVL", TCP_KEEPINTVL},
    {"TCP_KEEPCNT", TCP_KEEPCNT},
    {"TCP_QUICKACK", TCP_QUICKACK},
    {"TCP_USER_TIMEOUT", TCP_USER_TIMEOUT},
    {"TCP_FASTOPEN", TCP_FASTOPEN},
    {"TCP_DEFER_ACCEPT", TCP_DEFER_ACCEPT},
    {"IP_TOS", IP_TOS},
    {"IP_TTL", IP_TTL},
    {"IP_RECVERR", IP_RECVERR},
    {"IPV6_V6ONLY", IPV6_V6ONLY},
    {"IPPROTO_IP", IPPROTO_IP},
    {"IPPROTO_IPV6", IPPROTO_IPV6},
    {"S_IFMT", S_IFMT},
    {"S_IFIFO", S_IFIFO},
    {"PR_SET_NAME", PR_SET_NAME},
    {"PR_GET_NAME", PR_GET_NAME},
    {"PR_SET_PDEATHSIG", PR_SET_PDEATHSIG},
    {"PR_GET_DUMPABLE", PR_GET_DUMPABLE},
    {"PR_GET_SECCOMP", PR_GET_SECCOMP},
    {"PR_GET_NO_NEW_PRIVS", PR_GET_NO_NEW_PRIVS},
    {"PR_CAPBSET_READ", PR_CAPBSET_READ},
    {"PR_CAP_AMBIENT", PR_CAP_AMBIENT},
    {"PR_CAP_AMBIENT_IS_SET", PR_CAP_AMBIENT_IS_SET},
    {"PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS},
    {"PR_CAPBSET_DROP", PR_CAPBSET_DROP},
    {"PR_SET_SECUREBITS", PR_SET_SECUREBITS},
    {"PR_SET_VMA", 0x53564d41},
    {"TCGETS", TCGETS},
    {"TIOCGWINSZ", TIOCGWINSZ},
    {"TIOCGPGRP", TIOCGPGRP},
    {"FIOCLEX", FIOCLEX},
    {"FIONCLEX", FIONCLEX},
    {"FIONBIO", FIONBIO},
    {"FIONREAD", FIONREAD},
};

bool constants_find(const char *name, uint64_t *ret_value)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (strcmp(constants[i].name, name) == 0) {
            *ret_value = constants[i].value;
            return true;
        }
    }
    return false;
}

const char *constants_name(const char *prefix, uint64_t value)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (constants[i].value == value && strncmp(constants[i].name, prefix, strlen(prefix)) == 0)
            return constants[i].name;
    }
    return NULL;
}

const char *constants_next(size_t index)
{
    return index < sizeof constants / sizeof *constants ? constants[index].name : NULL;
}
