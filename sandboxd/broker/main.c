/* sandboxd-broker: exec'ed by launch inside the outer user namespace, with the descriptors of
 * sandboxd/control/inherit.h. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "sandboxd/broker/broker.h"
#include "sandboxd/broker/spawn.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/policy/filters.h"
#include "sandboxd/policy/image.h"
#include "sandboxd/sandbox/limits.h"
#include "sandboxd/sandbox/lockdown.h"
#include "sandboxd/sandbox/mounts.h"

/* In the order of enum inherit_front_fd. The last is the state directory: the one that launch has
 * opened stays open too, since it holds the lock. */
enum {
    FILTER_PLACE = FRONT_FILTER_FD - FRONT_LISTEN_FD,
    STATE_PLACE = FRONT_STATE_FD - FRONT_LISTEN_FD,
};
_Static_assert(FRONT_END_FD - FRONT_BROKER_FD <= SPAWN_FDS_MAX, "room for the front's descriptors");
static int front_fds[] = {
    INHERIT_LISTEN_FD,      INHERIT_LISTEN_HTTPS_FD,    INHERIT_CONFIG_FD,
    INHERIT_CERTIFICATE_FD, INHERIT_CERTIFICATE_KEY_FD, [STATE_PLACE] = -1,
};

static int prepare(char **argv, struct image *image, struct broker_options *options,
                   struct error *err)
{
    static struct filters filters;
    static struct seccomp_filter filter;
    char **front_arguments = &argv[INHERIT_FRONT_ARGUMENTS - 1];
    if (layers_from_argument(front_arguments[FRONT_MISSING_ARGUMENT], err) < 0 ||
        limits_protect_memory(err) < 0 ||
        filters_compile(INHERIT_POLICY_FD, INHERIT_OWN_POLICY_FD, &filters, err) < 0)
        return -1;
    if (image_load(INHERIT_IMAGE_FD, image, err) < 0)
        return error_add_context(err, "image host");
    if (mounts_unshare(INHERIT_STATE_FD, &front_fds[STATE_PLACE], err) < 0)
        return -1;
    if (mounts_prepare((const char *const *)image->paths, image->path_count, err) < 0)
        return error_add_context(err, "root of image host");
    if (seccomp_filter_read(filters.daemon_fd, &filter, err) < 0 ||
        lockdown_enter_broker(&filter, err) < 0)
        return error_add_context(err, "system call filter");

    static const int counts[] = {0, CGROUP_HIERARCHIES_MAX, 1};
    options->tree.version = argv[INHERIT_CGROUP_ARGUMENT][0] - '0';
    options->tree.count = counts[options->tree.version];
    for (int i = 0; i < options->tree.count; i++)
        options->tree.dir_fds[i] = INHERIT_CGROUP_FD + i;
    options->ids = (uint32_t)strtoul(argv[INHERIT_IDS_ARGUMENT], NULL, 10);
    for (enum session_start start = START_FORK; start < START_END; start++)
        options->zygote_arguments[start] = image_zygote_arguments(image, start != START_BARE);
    options->zygote_joins = (unsigned)strtoul(argv[INHERIT_ZYGOTE_ARGUMENT], NULL, 10);
    front_fds[FILTER_PLACE] = filters.process_fds[FILTERS_FRONT];
    options->front_fds = front_fds;
    options->front_fd_count = sizeof front_fds / sizeof *front_fds;
    front_arguments[0] = (char *)"sandboxd-front";
    front_arguments[FRONT_POLICIES_ARGUMENT] = filters.session_names;
    options->front_arguments = (const char *const *)front_arguments;
    options->profile_fds = filters.session_fds;
    options->asking_profiles = filters.session_asking;
    options->policy_count = filters.session_count;
    options->shell_filter_fd = filters.process_fds[FILTERS_SHELL];
    options->helper_filter_fd = filters.process_fds[FILTERS_FILE_HELPER];
    options->egress_filter_fd = filters.process_fds[FILTERS_EGRESS];
    return 0;
}

int main(int argc, char **argv)
{
    log_set_process("broker");
    struct error err = {0};
    struct image image = {0};
    struct broker_options options = {0};
    if (argc < INHERIT_FRONT_ARGUMENTS + FRONT_POLICIES_ARGUMENT) {
        log_error("broker.refused", "message=\"started by hand; start sandboxd instead\"");
        return 1;
    }
    int status = 1;
    if (prepare(argv, &image, &options, &err) == 0)
        status = broker_run(&options, &err);
    if (err.code != ERROR_NONE)
        log_error("broker.failed", "message=\"%s\"", err.message);
    for (enum session_start start = START_FORK; start < START_END; start++)
        free((void *)options.zygote_arguments[start]);
    image_clear(&image);
    return status;
}
