/* sandboxd-front: started by the broker, never by hand. Descriptors and arguments:
 * sandboxd/control/inherit.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/log.h"
#include "base/core/text.h"
#include "sandboxd/api/config.h"
#include "sandboxd/api/front.h"
#include "sandboxd/control/inherit.h"
#include "sandboxd/resource/policy_names.h"
#include "sandboxd/sandbox/lockdown.h"

enum { CERTIFICATE_FILE_BYTES_MAX = 256 * 1024 }; /* a chain of the longest kind is far smaller */

/* Sessions need four descriptors each; what the machine allows is what there is. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* /dev/null stands for a file that the user has not given: *ret_text is NULL then. */
static int read_file(int fd, size_t limit_bytes, char **ret_text, size_t *ret_length,
                     struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_from_errno(err, "look at the file");
    *ret_text = NULL;
    if (!S_ISCHR(st.st_mode)) {
        *ret_text = text_read_all(fd, limit_bytes, ret_length, err);
        if (!*ret_text)
            return -1;
    }
    close(fd);
    return 0;
}

static int read_config(struct config *config, struct error *err)
{
    size_t length = 0;
    AUTO_FREE char *text = NULL;
    config_set_defaults(config);
    if (read_file(FRONT_CONFIG_FD, CONFIG_BYTES_MAX, &text, &length, err) < 0 ||
        (text && config_read(text, length, config, err) < 0))
        return error_add_context(err, "--config");
    return 0;
}

static int read_certificate(struct server_certificate *certificate, struct error *err)
{
    size_t length;
    if (read_file(FRONT_CERTIFICATE_FD, CERTIFICATE_FILE_BYTES_MAX, &certificate->certificate_pem,
                  &length, err) < 0)
        return error_add_context(err, "--tls-cert");
    if (read_file(FRONT_CERTIFICATE_KEY_FD, CERTIFICATE_FILE_BYTES_MAX, &certificate->key_pem,
                  &length, err) < 0)
        return error_add_context(err, "--tls-key");
    return 0;
}

static int read_arguments(int argc, char **argv, struct front_arguments *arguments,
                          struct error *err)
{
    if (argc < FRONT_HOST_ARGUMENTS || argc > FRONT_HOST_ARGUMENTS + FRONT_HOSTS_MAX)
        return error_set(err, ERROR_INVALID, "sandboxd-front is started by sandboxd");
    if (layers_from_argument(argv[FRONT_MISSING_ARGUMENT], err) < 0)
        return -1;
    policy_names_set(argv[FRONT_POLICIES_ARGUMENT]);
    *arguments = (struct front_arguments){
        .broker_fd = FRONT_BROKER_FD,
        .state_fd = FRONT_STATE_FD,
        .listeners = {[FRONT_HTTP] = {FRONT_LISTEN_FD, argv[FRONT_HTTP_ARGUMENT]},
                      [FRONT_HTTPS] = {FRONT_LISTEN_HTTPS_FD, argv[FRONT_HTTPS_ARGUMENT]}},
        .no_egress = argv[FRONT_NO_EGRESS_ARGUMENT],
        .names = {(const char *const *)&argv[FRONT_HOST_ARGUMENTS],
                  (size_t)(argc - FRONT_HOST_ARGUMENTS)},
    };
    return access_mode_find(argv[FRONT_AUTH_ARGUMENT], &arguments->auth, err);
}

int main(int argc, char **argv)
{
    static struct config config;
    static struct front_arguments arguments;
    static struct seccomp_filter filter;
    struct error err = {0};
    log_set_process("front");
    if (read_arguments(argc, argv, &arguments, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return EX_USAGE;
    }

    /* Before any byte of a peer, of the configuration or of the state directory is read. */
    if (seccomp_filter_read(FRONT_FILTER_FD, &filter, &err) < 0 ||
        lockdown_enter_front(OUTER_FRONT_ID, FRONT_STATE_FD, &filter, &err) < 0) {
        log_error("front.refused", "message=\"%s\"", err.message);
        return EX_OSERR;
    }
    close(FRONT_FILTER_FD);
    raise_descriptor_limit();
    if (read_config(&config, &err) < 0 || read_certificate(&arguments.certificate, &err) < 0) {
        fprintf(stderr, "sandboxd: %s\n", err.message);
        return EX_CONFIG;
    }
    int status = front_run(&arguments, &config);
    config_clear(&config);
    server_certificate_clear(&arguments.certificate);
    return status;
}
