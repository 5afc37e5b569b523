#include "sandboxd/worker/zygote.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/log.h"
#include "base/core/without.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/control/message.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/mounts.h"
#include "sandboxd/session/join.h"
#include "sandboxd/worker/interpreter.h"

static struct channel_message message;
static struct join_context context = {.proc_fd = -1};
static struct profile profile; /* of the default policy; after the fork, of the session's */

/* All that guests and their children find in the environment. */
static void set_environment(const char *environment)
{
    if (LAYER("environment"))
        clearenv();
    for (const char *at = environment; *at; at += strlen(at) + 1) {
        AUTO_FREE char *name = xstrdup(at);
        char *value = strchr(name, '=');
        *value = '\0';
        setenv(name, value + 1, 1);
    }
}

/* The interpreter sees the same root as the sessions it will be forked into. */
static int enter_root(const struct root_message *root, struct error *err)
{
    struct mounts_plan plan = {
        .choice = &profile.mounts,
        .data_bytes = root->data_bytes,
        .data_inodes = root->data_inodes,
    };
    context.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (context.proc_fd < 0)
        return error_from_errno(err, "open /proc");
    if (unshare(CLONE_NEWNS) < 0)
        return error_from_errno(err, "unshare the mount namespace");
    if (mounts_enter(&plan, err) < 0 ||
        namespaces_identify(context.proc_fd, &context.outsider, err) < 0)
        return -1;
    if (chdir(MOUNTS_DATA_PATH) < 0)
        return error_from_errno(err, "enter " MOUNTS_DATA_PATH);
    return limits_protect_memory(err);
}

static int set_up(struct error *err)
{
    if (channel_receive(ZYGOTE_BROKER_FD, 1, &message, err) != CHANNEL_MESSAGE ||
        message.frame.type != FRAME_ZYGOTE_SETUP)
        return error_set(err, ERROR_SYSTEM, "no set-up message");
    struct root_message root;
    AUTO_CLOSE int profile_fd = channel_take_fd(&message, 0);
    if (message_read(&message.frame, &root, sizeof root, err) < 0 ||
        profile_read(profile_fd, &profile, NULL, err) < 0)
        return -1;
    set_environment(profile.environment);
    context.tid_address = namespaces_tid_address();
    return enter_root(&root, err);
}

/* A second thread's locks would stay locked for ever in the child. */
static int require_one_thread(struct error *err)
{
    DIR *tasks =
        directory_read(openat(context.proc_fd, "self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!tasks)
        return error_from_errno(err, "list threads");
    int count = 0;
    struct dirent *item;
    while ((item = readdir(tasks)))
        count += item->d_name[0] != '.';
    closedir(tasks);
    if (count != 1)
        return error_set(err, ERROR_SYSTEM, "the zygote has %d threads; it can be forked with one",
                         count);
    return 0;
}

static _Noreturn void become_interpreter(const struct join *join)
{
    struct error err = {0};
    char before[PROFILE_ENVIRONMENT_MAX];
    memcpy(before, profile.environment, sizeof before);
    if (join_enter(join, &context, &profile, &err) < 0 ||
        interpreter_after_fork_child(
            memcmp(before, profile.environment, sizeof before) ? profile.environment : NULL,
            join->audit_fd >= 0, &err) < 0) {
        dup2(JOIN_LOG_FD, STDERR_FILENO);
        log_error("interpreter.refused", "message=\"%s\"", err.message);
        _exit(1);
    }
    interpreter_serve(JOIN_CHANNEL_FD);
}

static pid_t fork_session(const struct join *join, int *ret_pid_fd, struct error *err)
{
    if (require_one_thread(err) < 0)
        return -1;
    interpreter_before_fork();
    pid_t pid = join_fork(join, &context, ret_pid_fd, err);
    if (pid == 0)
        become_interpreter(join);
    interpreter_after_fork_parent();
    return pid;
}

static int answer_join(struct error *err)
{
    uint64_t session = message.frame.tag;
    struct join join;
    struct error failure = {0};
    if (join_read(&message, &join, err) < 0)
        return -1;
    AUTO_CLOSE int pid_fd = -1;
    pid_t pid = fork_session(&join, &pid_fd, &failure);
    channel_release(&message);
    if (pid > 0) {
        uint32_t number = (uint32_t)pid;
        return channel_send(ZYGOTE_BROKER_FD, FRAME_JOINED, session, &number, sizeof number,
                            &pid_fd, 1, err);
    }

    return channel_send_result(ZYGOTE_BROKER_FD, FRAME_JOIN_FAILED, session, failure.number,
                               failure.message, -1, err);
}

/* What fits into one frame of the image's description: its first lines. */
static size_t first_lines(const struct buf *image)
{
    size_t length = image->length < FRAME_PAYLOAD_MAX ? image->length : FRAME_PAYLOAD_MAX;
    while (length > 0 && image->data[length - 1] != '\n')
        length--;
    return length;
}

static int announce(char *const *modules, int count, struct error *err)
{
    AUTO_BUF struct buf image = {0};
    if (interpreter_start(modules, count, &image, err) < 0 || require_one_thread(err) < 0)
        return -1;
    return channel_send(ZYGOTE_BROKER_FD, FRAME_ZYGOTE_READY, 0, image.data, first_lines(&image),
                        NULL, 0, err);
}

int zygote_run(char *const *modules, int count, struct error *err)
{
    if (set_up(err) < 0 || announce(modules, count, err) < 0)
        return -1;
    for (;;) {
        enum channel_outcome outcome =
            channel_receive(ZYGOTE_BROKER_FD, FRAME_DESCRIPTORS_MAX, &message, err);
        if (outcome == CHANNEL_CLOSED)
            return 0;
        if (outcome != CHANNEL_MESSAGE || message.frame.type != FRAME_JOIN)
            return error_set(err, ERROR_SYSTEM, "the broker does not keep the protocol");
        if (answer_join(err) < 0)
            return -1;
    }
}
