#include "sandboxd/policy/filters.h"

#include <errno.h>

#include "base/core/buf.h"

/* Where a pool names no policy. */
static const char default_session[] = "python";

static const char *const process_names[FILTERS_PROCESSES_MAX] = {
    [FILTERS_FILE_HELPER] = "file-helper",
    [FILTERS_EGRESS] = "egress",
    [FILTERS_FRONT] = "front",
    [FILTERS_SHELL] = "shell",
};

/* Pools choose whether refusals are told: one of each. */
static int compile_session(const struct policy *policy, size_t number, struct filters *filters,
                           struct error *err)
{
    filters->session_asking[number].default_error = policy->default_error;
    if (policy_compile(policy, &filters->session_fds[number], err) < 0)
        return -1;
    return policy_compile_asking(policy, &filters->session_asking[number].fd, err);
}

static int compile_sessions(const struct library *library, struct filters *filters,
                            struct error *err)
{
    struct library_sessions sessions;
    struct buf names = {0};
    if (library_load_sessions(library, default_session, &sessions, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < sessions.count && result == 0; i++) {
        result = compile_session(&sessions.policies[i], i, filters, err);
        buf_printf(&names, "%s%s", i ? " " : "", sessions.policies[i].name);
    }
    filters->session_count = sessions.count;
    filters->session_names = buf_take(&names);
    library_clear_sessions(&sessions);
    return result;
}

static int compile_process(const struct library *library, const char *name, int *ret_fd,
                           struct error *err)
{
    struct policy policy;
    if (library_load(library, name, &policy, err) < 0)
        return -1;
    int result = policy_compile(&policy, ret_fd, err);
    policy_clear(&policy);
    return result;
}

/* For the broker and all below it. They are few: what is refused here is not told as a guest's
 * refused call, since the kernel prefers an error to a question. */
static const char *const daemon_refused[] = {
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "swapon",
    "swapoff",
    "reboot",
    "settimeofday",
    "clock_settime",
    "acct",
    "quotactl",
    "quotactl_fd",
    "iopl",
    "ioperm",
    "fanotify_init",
    "lookup_dcookie",
    "nfsservctl",
    "uselib",
    "vhangup",
    "bpf",
    "syslog",
    "open_by_handle_at",
};

static int compile_daemon(int *ret_fd, struct error *err)
{
    enum { REFUSED = sizeof daemon_refused / sizeof *daemon_refused };
    struct filter_rule rules[REFUSED] = {0};
    for (int i = 0; i < REFUSED; i++) {
        rules[i].number = filter_call_number(daemon_refused[i]);
        rules[i].error_number = EPERM;
    }
    return filter_compile(rules, REFUSED, 0, ret_fd, err);
}

int filters_compile(int directory_fd, int own_directory_fd, struct filters *ret_filters,
                    struct error *err)
{
    AUTO_LIBRARY struct library library = {0};
    if (library_add(&library, directory_fd, NULL, err) < 0 ||
        library_add(&library, own_directory_fd, NULL, err) < 0 ||
        compile_sessions(&library, ret_filters, err) < 0)
        return -1;
    for (int i = 0; i < FILTERS_PROCESSES_MAX; i++) {
        if (compile_process(&library, process_names[i], &ret_filters->process_fds[i], err) < 0)
            return -1;
    }
    return compile_daemon(&ret_filters->daemon_fd, err);
}
