#include "sandboxd/doctor/child.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/sandbox/idmap.h"
#include "sandboxd/sandbox/namespaces.h"

/* A probe as a whole may take longer than a step of it, so that it can say which step it was. */
enum { CHILD_LIMIT_MS = 10000, PROBE_LIMIT_MS = 25000 };

/* What a child sends back, in one piece. */
struct report {
    int result;
    struct finding finding;
    struct error err;
};

/* The first message says that the maps are written. */
static int prepare_child(const struct child_how *how, int socket_fd, struct error *err)
{
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!how || !how->map)
        return 0;
    if (read(socket_fd, &byte, 1) != 1)
        return error_set(err, ERROR_SYSTEM, "the maps of ids were not written");
    if (how->becomes_root && idmap_become(SESSION_ROOT_ID, err) < 0)
        return -1;
    /* The daemon executes another program here, which makes its files in /proc its own again. */
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? error_from_errno(err, "PR_SET_DUMPABLE") : 0;
}

static _Noreturn void run_child(const struct child_how *how, int socket_fd, child_act act,
                                const void *argument, const struct finding *finding)
{
    struct report report = {.result = -1, .finding = *finding};
    if (prepare_child(how, socket_fd, &report.err) == 0)
        report.result = act(argument, &report.finding, &report.err);
    _exit(write(socket_fd, &report, sizeof report) == (ssize_t)sizeof report ? 0 : 1);
}

static int write_maps(const struct child_how *how, pid_t pid, int socket_fd,
                      struct finding *finding, struct error *err)
{
    if (!how || !how->map)
        return 0;
    if (how->map(how->self, pid, finding, err) < 0)
        return -1;
    return write(socket_fd, "", 1) == 1 ? 0 : error_from_errno(err, "start a child");
}

static int receive_report(int socket_fd, int limit_ms, struct finding *finding, struct error *err)
{
    struct pollfd wait = {.fd = socket_fd, .events = POLLIN};
    struct report report;
    int ready = poll(&wait, 1, limit_ms);
    if (ready == 0)
        return error_set(err, ERROR_TIMEOUT, "no end within %d seconds", limit_ms / 1000);
    if (ready < 0 || read(socket_fd, &report, sizeof report) != (ssize_t)sizeof report)
        return error_set(err, ERROR_SYSTEM, "the process was ended");
    *finding = report.finding;
    if (report.result < 0)
        *err = report.err;
    return report.result;
}

int child_run(const struct child_how *how, child_act act, const void *argument,
              struct finding *finding, struct error *err)
{
    int ends[2], pid_fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_from_errno(err, "socketpair");
    AUTO_CLOSE int parent_fd = ends[0];
    AUTO_CLOSE int child_fd = ends[1];
    const struct namespaces_clone clone = {.flags = how ? how->flags : 0, .cgroup_fd = -1};
    /* The plain one works where clone3 does not. */
    pid_t pid = how ? namespaces_clone(&clone, &pid_fd, err) : fork();
    if (pid < 0)
        return how ? -1 : error_from_errno(err, "fork");
    if (pid == 0) {
        close(parent_fd);
        run_child(how, child_fd, act, argument, finding);
    }
    AUTO_CLOSE int held_fd = pid_fd;
    close_fd(&child_fd);
    int result = write_maps(how, pid, parent_fd, finding, err);
    if (result == 0)
        result = receive_report(parent_fd, how ? CHILD_LIMIT_MS : PROBE_LIMIT_MS, finding, err);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

pid_t child_start_waiting(uint64_t flags, int *ret_pid_fd, struct error *err)
{
    const struct namespaces_clone how = {.flags = flags, .cgroup_fd = -1};
    pid_t pid = namespaces_clone(&how, ret_pid_fd, err);
    if (pid == 0) {
        for (;;)
            pause();
    }
    return pid;
}
