/* sandboxd-egress MISSING-LAYERS: the network of one session. Started by the broker only, with a
 * channel to it and a compiled filter; gives everything up, then takes the session's device and
 * serves it. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "base/core/text.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/control/message.h"
#include "sandboxd/egress/rules.h"
#include "sandboxd/egress/stack.h"
#include "sandboxd/sandbox/lockdown.h"

enum { EGRESS_BROKER_FD = 3, EGRESS_FILTER_FD };
enum {
    EGRESS_FILES_MAX = 512, /* connections and datagram sockets of the session, a few of ours */
    EGRESS_RESOLV_BYTES_MAX = 64 * 1024,
};

/* The machine's resolvers, as they are now. Without the file there are none. */
static char *read_resolv_conf(void)
{
    size_t length = 0;
    AUTO_CLOSE int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : text_read_all(fd, EGRESS_RESOLV_BYTES_MAX, &length, NULL);
    return text ? text : xstrdup("");
}

static int lock_down(struct error *err)
{
    static struct seccomp_filter filter;
    const struct rlimit files = {EGRESS_FILES_MAX, EGRESS_FILES_MAX};
    AUTO_FREE char *resolv_conf = read_resolv_conf();
    if (seccomp_filter_read(EGRESS_FILTER_FD, &filter, err) < 0)
        return -1;
    close(EGRESS_FILTER_FD);
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        return error_from_errno(err, "limit open files");
    return lockdown_enter_egress(OUTER_EGRESS_ID, resolv_conf, &filter, err);
}

static int serve(struct error *err)
{
    static struct channel_message message;
    struct egress_message rules;
    if (channel_receive(EGRESS_BROKER_FD, 1, &message, err) != CHANNEL_MESSAGE ||
        message.frame.type != FRAME_EGRESS_START)
        return error_set(err, ERROR_SYSTEM, "no start message");
    AUTO_CLOSE int tap_fd = channel_take_fd(&message, 0);
    if (message_read(&message.frame, &rules, sizeof rules, err) < 0 || rules_check(&rules, err) < 0)
        return -1;
    return stack_serve(&rules, tap_fd, EGRESS_BROKER_FD, err);
}

int main(int argc, char **argv)
{
    log_set_process("egress");
    struct error err = {0};
    if (argc != 2 || layers_from_argument(argv[1], &err) < 0 ||
        fcntl(EGRESS_BROKER_FD, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("egress.refused", "message=\"started by hand; start sandboxd instead\"");
        return 1;
    }
    if (lock_down(&err) == 0 && serve(&err) == 0)
        return 0;
    log_error("egress.failed", "message=\"%s\"", err.message);
    return 1;
}
