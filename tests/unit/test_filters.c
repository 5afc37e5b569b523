/* The policies of our own processes, each in a child behind its compiled filter. */
#include "sandboxd/policy/filters.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "sandboxd/sandbox/lockdown.h"
#include "tests/support/unit.h"

/* With arguments that harm nobody should a call get through. */
struct call {
    const char *name;
    long number;
    long arguments[4];
};

#define NOBODY_FD (-1)

/* What neither the front nor a session's PID 1 may do. */
static const struct call refused[] = {
    {"execve", SYS_execve, {0}},
    {"execveat", SYS_execveat, {NOBODY_FD}},
    {"clone into a user namespace", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
    {"clone3", SYS_clone3, {0}},
    {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
    {"connect", SYS_connect, {NOBODY_FD}},
    {"bind", SYS_bind, {NOBODY_FD}},
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
    {"process_vm_readv", SYS_process_vm_readv, {0}},
    {"pidfd_open", SYS_pidfd_open, {0}},
    {"pidfd_getfd", SYS_pidfd_getfd, {NOBODY_FD}},
    {"kill of one process", SYS_kill, {1, 0}},
    {"kill of all, not for good", SYS_kill, {-1, 0}},
    {"tgkill", SYS_tgkill, {1, 1, 0}},
    {"mount", SYS_mount, {0}},
    {"umount2", SYS_umount2, {0}},
    {"open_tree", SYS_open_tree, {NOBODY_FD}},
    {"fsopen", SYS_fsopen, {0}},
    {"pivot_root", SYS_pivot_root, {0}},
    {"chroot", SYS_chroot, {0}},
    {"unshare", SYS_unshare, {0}},
    {"setns", SYS_setns, {NOBODY_FD}},
    {"setuid", SYS_setresuid, {-1, -1, -1}},
    {"bpf", SYS_bpf, {-1}},
    {"io_uring_setup", SYS_io_uring_setup, {0}},
    {"userfaultfd", SYS_userfaultfd, {-1}},
    {"perf_event_open", SYS_perf_event_open, {0}},
    {"keyctl", SYS_keyctl, {-1}},
    {"open_by_handle_at", SYS_open_by_handle_at, {NOBODY_FD}},
    {"init_module", SYS_init_module, {0}},
    {"mknodat", SYS_mknodat, {NOBODY_FD}},
    {"symlinkat", SYS_symlinkat, {0, NOBODY_FD}},
    {"ioctl", SYS_ioctl, {NOBODY_FD}},
    {"memfd_create", SYS_memfd_create, {0}},
    {"prctl PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 1}},
    {NULL, 0, {0}},
};

static const struct call refused_to_the_front[] = {
    {"clone", SYS_clone, {CLONE_VM}},
    {"kill of all", SYS_kill, {-1, SIGKILL}},
    {"seccomp", SYS_seccomp, {0}},
    {"code in memory", SYS_mprotect, {0, 0, PROT_EXEC | PROT_READ}},
    {"signals from a descriptor", SYS_fcntl, {0, F_SETOWN, 1}},
    {"limits of another", SYS_prlimit64, {1}},
    {"capset", SYS_capset, {0}},
    {"linkat", SYS_linkat, {NOBODY_FD}},
    {NULL, 0, {0}},
};

static const struct call refused_to_a_shell[] = {
    {"accept4", SYS_accept4, {NOBODY_FD}},
    {"limits", SYS_prlimit64, {0}},
    {"pid namespaces for children", SYS_clone, {CLONE_NEWPID | SIGCHLD}},
    {"setgroups", SYS_setgroups, {0}},
    {NULL, 0, {0}},
};

/* -1 when each is refused, else its place in the table. */
static int first_that_is_not_refused(const struct call *calls)
{
    for (int i = 0; calls[i].name; i++) {
        const long *a = calls[i].arguments;
        if (syscall(calls[i].number, a[0], a[1], a[2], a[3], 0, 0) != -1 || errno != EPERM)
            return i;
    }
    return -1;
}

static void compile(struct filters *filters)
{
    struct error err = {0};
    AUTO_CLOSE int directory_fd =
        open(SANDPOOL_POLICY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (filters->session_count == 0 && filters_compile(directory_fd, null_fd, filters, &err) < 0)
        fail_msg("%s", err.message);
}

static void load(enum filters_process process, struct seccomp_filter *filter)
{
    static struct filters filters;
    struct error err = {0};
    compile(&filters);
    if (seccomp_filter_read(filters.process_fds[process], filter, &err) < 0)
        fail_msg("%s", err.message);
}

/* Not _exit: before one of those, AddressSanitizer makes a call that a filter may refuse. */
static void leave(int code)
{
    syscall(SYS_exit_group, code);
}

/* In a child: the tables, then what must work. */
static void try_behind(enum filters_process process, const struct call *own, bool (*works)(void))
{
    enum { LOADED = 200, WORKED, OWN = 100 };
    static struct seccomp_filter filter;
    load(process, &filter);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (seccomp_filter_load(&filter, NULL) < 0 || seccomp_filter_require(NULL) < 0)
            leave(LOADED);
        int at = first_that_is_not_refused(refused);
        if (at >= 0)
            leave(1 + at);
        at = first_that_is_not_refused(own);
        if (at >= 0)
            leave(OWN + at);
        leave(works() ? 0 : WORKED);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    int code = WEXITSTATUS(status);
    if (code == LOADED || code == WORKED)
        fail_msg("%s", code == LOADED ? "the filter is not in force" : "a needed call is refused");
    if (code > 0)
        fail_msg("not refused: %s", code < OWN ? refused[code - 1].name : own[code - OWN].name);
}

static bool the_front_works(void)
{
    int fd = open(SANDPOOL_POLICY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && memory != MAP_FAILED && close(fd) == 0;
}

/* A helper is forked and reaped. */
static bool a_shell_works(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        leave(7);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7;
}

static void the_front_starts_nothing_makes_no_socket_and_signals_nobody(void **state)
{
    (void)state;
    try_behind(FILTERS_FRONT, refused_to_the_front, the_front_works);
}

static void a_shell_forks_and_does_nothing_to_the_machine(void **state)
{
    (void)state;
    try_behind(FILTERS_SHELL, refused_to_a_shell, a_shell_works);
}

/* It allows the rest: a process may still take a stricter one. */
static void what_no_process_of_the_daemon_needs_is_refused_to_all(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {"bpf", SYS_bpf, {-1}},
        {"io_uring_setup", SYS_io_uring_setup, {0}},
        {"keyctl", SYS_keyctl, {-1}},
        {"userfaultfd", SYS_userfaultfd, {-1}},
        {"perf_event_open", SYS_perf_event_open, {0}},
        {"init_module", SYS_init_module, {0}},
        {"kexec_load", SYS_kexec_load, {0, 0, 0, -1}},
        {NULL, 0, {0}},
    };
    static struct filters filters;
    static struct seccomp_filter filter;
    compile(&filters);
    assert_int_equal(seccomp_filter_read(filters.daemon_fd, &filter, NULL), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (lockdown_enter_broker(&filter, NULL) < 0)
            leave(200);
        bool others_work = a_shell_works() && unshare(0) == 0;
        leave(others_work ? first_that_is_not_refused(calls) + 1 : 201);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_front_starts_nothing_makes_no_socket_and_signals_nobody),
        cmocka_unit_test(what_no_process_of_the_daemon_needs_is_refused_to_all),
        cmocka_unit_test(a_shell_forks_and_does_nothing_to_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
