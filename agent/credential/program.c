#include "agent/credential/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/cleanup.h"

/* ---- starting ---- */

/* Azure CLI looks for modules in the current directory: not in one that others can write to. */
static int spawn(const char *const *arguments, int output_fd, int errors_fd, pid_t *ret_pid)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_addchdir_np(&actions, "/bin");
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors_fd, STDERR_FILENO);
    setenv("AZURE_CORE_NO_COLOR", "true", 1);
    int result = posix_spawnp(ret_pid, arguments[0], &actions, &attributes,
                              (char *const *)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* ---- while it runs ---- */

static void drain(struct program *program, struct watch *watch, int fd, struct buf *into)
{
    char piece[4096];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_append(into, piece, (size_t)n); /* what is more than the limit is dropped */
    if (n == 0 || errno != EAGAIN)
        loop_unwatch(program->loop, watch);
    explicit_bzero(piece, sizeof piece);
}

static void on_output(void *self, uint32_t events)
{
    (void)events;
    struct program *program = self;
    drain(program, &program->output_watch, program->output_fd, &program->output);
}

static void on_errors(void *self, uint32_t events)
{
    (void)events;
    struct program *program = self;
    drain(program, &program->errors_watch, program->errors_fd, &program->errors);
}

static void on_deadline(void *self)
{
    struct program *program = self;
    program->timed_out = true;
    pidfd_send_signal(program->pid_fd, SIGKILL, NULL, 0);
}

/* ---- the end ---- */

static void close_all(struct program *program)
{
    loop_unwatch(program->loop, &program->exit_watch);
    loop_unwatch(program->loop, &program->output_watch);
    loop_unwatch(program->loop, &program->errors_watch);
    loop_stop_timer(program->loop, &program->deadline);
    close_fd(&program->pid_fd);
    close_fd(&program->output_fd);
    close_fd(&program->errors_fd);
    program->active = false;
}

static void on_exit_seen(void *self, uint32_t events)
{
    (void)events;
    struct program *program = self;
    struct error failure = {0};
    siginfo_t info = {0};
    waitid(P_PIDFD, (id_t)program->pid_fd, &info, WEXITED);
    on_output(program, 0);
    on_errors(program, 0);
    close_all(program);
    if (program->timed_out)
        error_set(&failure, ERROR_TIMEOUT, "%s did not answer in time", program->name);
    else if (info.si_code != CLD_EXITED || info.si_status != 0)
        error_set(&failure, ERROR_SYSTEM, "%s failed: %.300s", program->name,
                  program->errors.length ? program->errors.data : "it says nothing");
    program->on_done(program->self, failure.code ? &failure : NULL);
}

static int watch_all(struct program *program, int64_t timeout_ms, struct error *err)
{
    struct loop *loop = program->loop;
    if (loop_watch(loop, &program->exit_watch, program->pid_fd, EPOLLIN, on_exit_seen, program,
                   err) < 0 ||
        loop_watch(loop, &program->output_watch, program->output_fd, EPOLLIN, on_output, program,
                   err) < 0 ||
        loop_watch(loop, &program->errors_watch, program->errors_fd, EPOLLIN, on_errors, program,
                   err) < 0)
        return -1;
    loop_start_timer(loop, &program->deadline, loop_now_ms(loop) + timeout_ms, on_deadline,
                     program);
    return 0;
}

int program_start(struct program *program, const char *const *arguments, int64_t timeout_ms,
                  struct error *err)
{
    int output[2], errors[2];
    if (pipe2(output, O_CLOEXEC) < 0)
        return error_from_errno(err, "pipe");
    program->output_fd = output[0];
    AUTO_CLOSE int output_end = output[1];
    if (pipe2(errors, O_CLOEXEC) < 0) {
        close_fd(&program->output_fd);
        return error_from_errno(err, "pipe");
    }
    program->errors_fd = errors[0];
    AUTO_CLOSE int errors_end = errors[1];
    fcntl(program->output_fd, F_SETFL, O_NONBLOCK);
    fcntl(program->errors_fd, F_SETFL, O_NONBLOCK);

    pid_t pid = 0;
    program->name = arguments[0];
    program->pid_fd = -1;
    program->timed_out = false;
    program->active = true;
    program_clear(program);
    program->output.limit = program->errors.limit = PROGRAM_OUTPUT_BYTES_MAX;
    errno = spawn(arguments, output_end, errors_end, &pid);
    if (errno != 0) {
        bool missing = errno == ENOENT;
        close_all(program);
        return missing ? error_set(err, ERROR_MISSING, "there is no program \"%s\"", arguments[0])
                       : error_from_errno(err, "start %s", arguments[0]);
    }
    program->pid_fd = pidfd_open(pid, 0);
    if (program->pid_fd < 0)
        error_from_errno(err, "pidfd_open");
    if (program->pid_fd >= 0 && watch_all(program, timeout_ms, err) == 0)
        return 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close_all(program);
    return -1;
}

void program_cancel(struct program *program)
{
    if (!program->active)
        return;
    pidfd_send_signal(program->pid_fd, SIGKILL, NULL, 0);
    siginfo_t info;
    waitid(P_PIDFD, (id_t)program->pid_fd, &info, WEXITED);
    close_all(program);
}

void program_clear(struct program *program)
{
    struct buf *bufs[] = {&program->output, &program->errors};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        if (bufs[i]->data)
            explicit_bzero(bufs[i]->data, bufs[i]->length);
        buf_free(bufs[i]);
    }
}
