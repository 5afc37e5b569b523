/* sandboxd-front CONFIG ADDRESS: started by the broker, never by hand.
 *
 * CONFIG is "config" when a configuration file is open on FRONT_CONFIG_FD, otherwise "no-config".
 * ADDRESS is the text of the listening address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/core/cleanup.h"
#include "base/core/log.h"
#include "base/core/text.h"
#include "sandboxd/api/config.h"
#include "sandboxd/api/front.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/sandbox/lockdown.h"

/* Sessions need four descriptors each; what the machine allows is what there is. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int read_config(bool has_file, struct config *config, struct error *err)
{
    config_set_defaults(config);
    if (!has_file)
        return 0;
    size_t length = 0;
    int fd = FRONT_CONFIG_FD;
    AUTO_FREE char *text = text_read_all(fd, CONFIG_BYTES_MAX, &length, err);
    close(fd);
    return text ? config_read(text, length, config, err) : -1;
}

int main(int argc, char **argv)
{
    static struct config config;
    struct error err = {0};
    log_set_process("front");
    if (argc != 3) {
        fprintf(stderr, "sandboxd-front is started by sandboxd\n");
        return EX_USAGE;
    }

    /* Before any byte of a peer or of the configuration is read. */
    if (lockdown_enter_front(OUTER_FRONT_ID, FRONT_END_FD - 1, &err) < 0) {
        log_error("front.refused", "message=\"%s\"", err.message);
        return EX_OSERR;
    }
    raise_descriptor_limit();
    if (read_config(strcmp(argv[1], "config") == 0, &config, &err) < 0) {
        fprintf(stderr, "configuration: %s\n", err.message);
        return EX_CONFIG;
    }
    struct front_arguments arguments = {
        .broker_fd = FRONT_BROKER_FD,
        .listen_fd = FRONT_LISTEN_FD,
        .address = argv[2],
    };
    return front_run(&arguments, &config);
}
