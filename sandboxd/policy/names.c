#include "sandboxd/policy/names.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sandboxd/policy/constants.h"

/* Beyond any call that has a name today. */
enum { CALLS_MAX = 1024 };

static const char *call_names[CALLS_MAX]; /* by number */
static int call_numbers[CALLS_MAX];       /* of those with a name, in order */
static size_t call_count;

static void learn_calls(void)
{
    if (call_count > 0)
        return;
    for (int number = 0; number < CALLS_MAX; number++) {
        /* Never freed: a table. */
        call_names[number] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        if (call_names[number])
            call_numbers[call_count++] = number;
    }
}

const char *names_call(int number)
{
    learn_calls();
    return number >= 0 && number < CALLS_MAX ? call_names[number] : NULL;
}

const char *names_next_call(size_t index)
{
    learn_calls();
    return index < call_count ? call_names[call_numbers[index]] : NULL;
}

/* Arguments of calls, and how the words for their values begin. */
static const struct {
    const char *call;
    unsigned argument;
    const char *name;
    const char *prefixes[3];
} arguments[] = {
    {"clone", 0, "flags", {"CLONE_"}},
    {"fcntl", 1, "command", {"F_"}},
    {"getsockopt", 1, "level", {"SOL_", "IPPROTO_"}},
    {"getsockopt", 2, "option", {NULL}},
    {"ioctl", 1, "request", {"TC", "TIO", "FIO"}},
    {"madvise", 2, "advice", {NULL}},
    {"memfd_create", 1, "flags", {"MFD_"}},
    {"mknod", 1, "mode", {"S_IF"}},
    {"mknodat", 2, "mode", {"S_IF"}},
    {"mmap", 2, "protection", {"PROT_"}},
    {"mmap", 3, "flags", {"MAP_"}},
    {"mprotect", 2, "protection", {"PROT_"}},
    {"openat", 2, "flags", {"O_"}},
    {"personality", 0, "domain", {NULL}},
    {"prctl", 0, "option", {"PR_"}},
    {"prctl", 1, "argument 1", {"PR_CAP_AMBIENT_"}},
    {"setsockopt", 1, "level", {"SOL_", "IPPROTO_"}},
    {"setsockopt", 2, "option", {NULL}},
    {"shmget", 2, "flags", {"SHM_"}},
    {"socket", 0, "domain", {"AF_"}},
    {"socket", 1, "type", {"SOCK_"}},
    {"socket", 2, "protocol", {"IPPROTO_"}},
    {"socketpair", 0, "domain", {"AF_"}},
    {"socketpair", 1, "type", {"SOCK_"}},
    {"socketpair", 2, "protocol", {"IPPROTO_"}},
};

enum { ARGUMENTS = sizeof arguments / sizeof *arguments, PREFIXES_MAX = 3 };

/* ARGUMENTS where it is not in the table. */
static size_t find_argument(const char *call, unsigned argument)
{
    size_t i = 0;
    while (i < ARGUMENTS &&
           (arguments[i].argument != argument || strcmp(arguments[i].call, call) != 0))
        i++;
    return i;
}

void names_argument(const char *call, unsigned argument, char ret_text[NAMES_ARGUMENT_MAX])
{
    size_t i = find_argument(call, argument);
    if (i < ARGUMENTS)
        snprintf(ret_text, NAMES_ARGUMENT_MAX, "%s", arguments[i].name);
    else
        snprintf(ret_text, NAMES_ARGUMENT_MAX, "argument %u", argument % 10);
}

/* Options of sockets are named after their level. */
static const char *option_prefix(uint64_t level)
{
    static const struct {
        uint64_t level;
        const char *prefix;
    } levels[] = {
        {SOL_SOCKET, "SO_"}, {IPPROTO_TCP, "TCP_"}, {IPPROTO_IP, "IP_"}, {IPPROTO_IPV6, "IPV6_"}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (levels[i].level == level)
            return levels[i].prefix;
    }
    return NULL;
}

void names_value(const char *call, unsigned argument, uint64_t level, uint64_t value,
                 char ret_text[NAMES_VALUE_MAX])
{
    size_t i = find_argument(call, argument);
    const char *word = NULL;
    if (i < ARGUMENTS && strcmp(arguments[i].name, "option") == 0 && argument == 2 &&
        option_prefix(level))
        word = constants_name(option_prefix(level), value);
    for (size_t j = 0; i < ARGUMENTS && j < PREFIXES_MAX && !word && arguments[i].prefixes[j]; j++)
        word = constants_name(arguments[i].prefixes[j], value);
    /* Protocol 0 is whatever belongs to the type. */
    if (word && value != 0)
        snprintf(ret_text, NAMES_VALUE_MAX, "%s", word);
    else if (value < 10)
        snprintf(ret_text, NAMES_VALUE_MAX, "%" PRIu64, value);
    else
        snprintf(ret_text, NAMES_VALUE_MAX, "0x%" PRIx64, value);
}

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EPERM", EPERM},   {"ENOSYS", ENOSYS},
    {"EACCES", EACCES}, {"EAFNOSUPPORT", EAFNOSUPPORT},
    {"EINVAL", EINVAL}, {"EOPNOTSUPP", EOPNOTSUPP},
    {"EAGAIN", EAGAIN},
};

int names_find_error(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    }
    return -1;
}

const char *names_next_error(size_t index)
{
    return index < sizeof errors / sizeof *errors ? errors[index].name : NULL;
}

const char *names_error(int number)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].number == number)
            return errors[i].name;
    }
    return NULL;
}
