#include "sandboxd/policy/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"

#if defined(__x86_64__)
enum { NATIVE_ARCHITECTURE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCHITECTURE = (int)AUDIT_ARCH_AARCH64 };
#endif

/* How often to look whether the program has ended; and no program has as many descriptors open. */
enum { LOOK_MS = 100, CHANNEL_FD_MAX = 65536 };

/* ---- in the child ---- */

/* Every call is a question, but the one that hands the listener over. The last descriptor that
 * there may be is nobody else's. */
static int install(int channel_fd)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)channel_fd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog program = {
        .len = sizeof instructions / sizeof *instructions,
        .filter = instructions,
    };
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    /* Signals do not interrupt a question, where the kernel can have it so (5.19). */
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
    if (fd < 0)
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return (int)fd;
}

static int send_descriptor(int channel_fd, int fd)
{
    char byte = 0;
    struct iovec part = {&byte, 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(channel_fd, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static _Noreturn void become(const char *path, char *const *command, int socket_fd)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    int channel_fd = (limit.rlim_cur < CHANNEL_FD_MAX ? (int)limit.rlim_cur : CHANNEL_FD_MAX) - 1;
    signal(SIGINT, SIG_DFL);
    if (dup3(socket_fd, channel_fd, O_CLOEXEC) < 0)
        _exit(126);
    int listener_fd = install(channel_fd);
    if (listener_fd < 0 || send_descriptor(channel_fd, listener_fd) < 0)
        _exit(126);
    execv(path, command);
    _exit(127);
}

/* ---- in the parent ---- */

static int receive_descriptor(int socket_fd, struct error *err)
{
    char byte;
    int fd;
    struct iovec part = {&byte, 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)];
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t length = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS)
        return error_set(err, ERROR_SYSTEM,
                         "this kernel does not let system calls be watched (seccomp user "
                         "notification, Linux 5.5), or the sandbox around this program does not");
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* Questions before the program itself runs are not its own. */
struct supervisor {
    int listener_fd;
    pid_t pid;
    bool has_executed;
    supervise_decide *decide;
    void *self;
};

static int decide(struct supervisor *supervisor, const struct seccomp_notif *question)
{
    const struct supervise_call call = {
        .is_native = question->data.arch == (uint32_t)NATIVE_ARCHITECTURE,
        .number = question->data.nr,
        .arguments = (const uint64_t *)question->data.args,
    };
    if (supervisor->has_executed)
        return supervisor->decide(supervisor->self, &call);
    supervisor->has_executed = question->data.nr == SYS_execve;
    return 0;
}

static void answer(struct supervisor *supervisor)
{
    struct seccomp_notif question = {0};
    if (ioctl(supervisor->listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
        return; /* whoever asked has gone */
    struct seccomp_notif_resp response = {.id = question.id};
    response.error = -decide(supervisor, &question);
    if (response.error == 0)
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(supervisor->listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* Until nobody is left who could ask. On older kernels that is not seen before the program has been
 * reaped. */
static int serve(struct supervisor *supervisor, int *ret_status, struct error *err)
{
    for (;;) {
        struct pollfd watched = {.fd = supervisor->listener_fd, .events = POLLIN};
        int ready = poll(&watched, 1, LOOK_MS);
        if (ready < 0 && errno != EINTR)
            return error_from_errno(err, "wait for system calls");
        if (ready > 0 && watched.revents & POLLIN)
            answer(supervisor);
        else if (ready > 0)
            return 0;
        else if (supervisor->pid > 0 &&
                 waitpid(supervisor->pid, ret_status, WNOHANG) == supervisor->pid)
            supervisor->pid = -1;
    }
}

/* Where the program is; NULL when it is nowhere. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        AUTO_FREE char *file = xasprintf("%.*s/%s", (int)length, at, name);
        if (length > 0 && access(file, X_OK) == 0)
            return TAKE(file);
        at += length + (at[length] == ':');
    }
    return NULL;
}

int supervise_run(char *const *command, supervise_decide *decide_call, void *self, int *ret_status,
                  struct error *err)
{
    AUTO_FREE char *path = find_program(command[0]);
    int pair[2];
    if (!path)
        return error_set(err, ERROR_MISSING, "%s: there is no such program", command[0]);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_from_errno(err, "socketpair");
    AUTO_CLOSE int own_fd = pair[0];
    signal(SIGINT, SIG_IGN); /* it is for the program */
    pid_t pid = fork();
    if (pid < 0)
        return error_from_errno(err, "fork");
    if (pid == 0)
        become(path, command, pair[1]);
    close(pair[1]);
    AUTO_CLOSE int listener_fd = receive_descriptor(own_fd, err);
    struct supervisor supervisor = {
        .listener_fd = listener_fd,
        .pid = pid,
        .decide = decide_call,
        .self = self,
    };
    int result = listener_fd < 0 ? -1 : serve(&supervisor, ret_status, err);
    if (result < 0 && supervisor.pid > 0)
        kill(supervisor.pid, SIGKILL);
    if (supervisor.pid > 0)
        waitpid(supervisor.pid, ret_status, 0);
    return result;
}
