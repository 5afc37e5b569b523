/* sandboxd: arguments, then start. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/layer.h"
#include "base/core/log.h"
#include "base/core/state_path.h"
#include "base/core/text.h"
#include "sandboxd/start/start.h"

const char *argp_program_version = "sandboxd " SANDPOOL_VERSION;

static const char documentation[] =
    "Serves the Azure Container Apps Dynamic Sessions API on this machine: isolated Python "
    "sessions "
    "with state, files under /mnt/data and no network."
    "\vGET /health answers 200 once sessions can be started. SIGTERM stops everything. "
    "The default pool is at / and at "
    "/subscriptions/local/resourceGroups/local/sessionPools/default.\n\n"
    "`sandboxd env`, `sandboxd token` and `sandboxd ca` print what clients of a daemon need, "
    "`sandboxd policy` what sessions may ask of the kernel, `sandboxd doctor` whether this machine "
    "has "
    "what they need; each has --help.";

enum {
    OPTION_LISTEN = 'l',
    OPTION_STATE_DIR = 's',
    OPTION_CONFIG = 'c',
    OPTION_INSECURE = 256,
    OPTION_POLICY_DIR,
    OPTION_LISTEN_HTTPS,
    OPTION_AUTH,
    OPTION_HOST,
    OPTION_CERTIFICATE,
    OPTION_CERTIFICATE_KEY,
    OPTION_ALLOW_MISSING,
    OPTION_ZYGOTE_SESSIONS,
};

enum { ZYGOTE_SESSIONS_MAX = 1000000 };

static const struct argp_option option_table[] = {
    {"listen", OPTION_LISTEN, "ADDRESS:PORT", 0, "where to serve HTTP (127.0.0.1:8900)", 0},
    {"state-dir", OPTION_STATE_DIR, "DIR", 0,
     "what is kept between starts (/var/lib/sandpool; for an ordinary user sandpool in "
     "~/.local/state)",
     0},
    {"config", OPTION_CONFIG, "FILE", 0, "pools and their limits, as JSON", 0},
    {"policy-dir", OPTION_POLICY_DIR, "DIR", 0, "policies of your own for sessions", 0},
    {"listen-https", OPTION_LISTEN_HTTPS, "ADDRESS:PORT", 0,
     "where to serve HTTPS (127.0.0.1:8943), or none", 0},
    {"auth", OPTION_AUTH, "MODE", 0, "which bearer tokens pass: none, any or jwt (any)", 0},
    {"host", OPTION_HOST, "NAME", 0,
     "a further name or address of this daemon, for Host headers and its certificate; may be "
     "repeated",
     0},
    {"tls-cert", OPTION_CERTIFICATE, "FILE", 0,
     "a certificate (PEM, its chain behind it) instead of the development authority's", 0},
    {"tls-key", OPTION_CERTIFICATE_KEY, "FILE", 0, "its private key (PEM)", 0},
    {"insecure", OPTION_INSECURE, NULL, 0,
     "listen on an address that is not loopback without --auth jwt", 0},
    {"allow-missing", OPTION_ALLOW_MISSING, "LAYER", 0,
     "start without cgroup, landlock, uts, cgroup-namespace or ids where that cannot be had; may "
     "be "
     "repeated",
     0},
    {"zygote-sessions", OPTION_ZYGOTE_SESSIONS, "N", 0,
     "interpreters that are forked from one process before another replaces it (1000)", 0},
    {0},
};

static const char *const auth_modes[] = {"none", "any", "jwt", NULL};
/* Subcommands that are another program, in libexec/ beside our bin/: what may start the daemon
 * needs nothing of what they need. */
static const char *const admin_commands[] = {"env", "token", "ca", "policy", "doctor", NULL};

static const char *find_word(const char *const *words, const char *word)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words;
}

static bool is_count(const char *text, uint64_t most)
{
    uint64_t value;
    return text_parse_u64(text, &value) && value >= 1 && value <= most;
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct start_options *options = state->input;
    struct error err = {0};
    switch (key) {
    case OPTION_LISTEN:
        options->listen = value;
        return 0;
    case OPTION_STATE_DIR:
        options->state_dir = value;
        return 0;
    case OPTION_CONFIG:
        options->config = value;
        return 0;
    case OPTION_POLICY_DIR:
        options->policy_dir = value;
        return 0;
    case OPTION_INSECURE:
        options->insecure = true;
        return 0;
    case OPTION_LISTEN_HTTPS:
        options->listen_https = value;
        return 0;
    case OPTION_AUTH:
        options->auth = find_word(auth_modes, value);
        if (!options->auth)
            argp_error(state, "--auth: must be none, any or jwt, not %s", value);
        return 0;
    case OPTION_HOST:
        if (options->host_count == FRONT_HOSTS_MAX)
            argp_error(state, "--host: at most %d names", FRONT_HOSTS_MAX);
        options->hosts[options->host_count++] = value;
        return 0;
    case OPTION_CERTIFICATE:
        options->certificate = value;
        return 0;
    case OPTION_CERTIFICATE_KEY:
        options->certificate_key = value;
        return 0;
    case OPTION_ALLOW_MISSING:
        if (layer_allow(value, &options->allowed_missing, &err) < 0)
            argp_error(state, "%s", err.message);
        return 0;
    case OPTION_ZYGOTE_SESSIONS:
        if (!is_count(value, ZYGOTE_SESSIONS_MAX))
            argp_error(state, "--zygote-sessions: must be 1 to %d, not %s", ZYGOTE_SESSIONS_MAX,
                       value);
        options->zygote_sessions = value;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unknown argument: %s", value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run_admin(char **argv)
{
    static const char helper[] = "/libexec/sandpool/sandboxd-admin";
    char prefix[PATH_MAX], path[PATH_MAX + sizeof helper];
    ssize_t length = readlink("/proc/self/exe", prefix, sizeof prefix - 1);
    prefix[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < 2; i++) { /* the file, then bin */
        char *slash = strrchr(prefix, '/');
        if (slash)
            *slash = '\0';
    }
    snprintf(path, sizeof path, "%s%s", prefix, helper);
    execv(path, argv);
    fprintf(stderr, "sandboxd: %s: %m\n", path);
    return 1;
}

/* Whole sequences are tried before anything is begun: some machines let the first step of one
 * succeed and refuse a later one. What is wrong has been said on standard error. */
static bool machine_is_fit(void)
{
    char *arguments[] = {(char *)"sandboxd", (char *)"doctor", (char *)"--for-start", NULL};
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(run_admin(arguments));
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        perror("sandboxd: doctor");
    return status == 0;
}

int main(int argc, char **argv)
{
    static const struct argp parser = {option_table, on_option, NULL, documentation,
                                       NULL,         NULL,      NULL};
    struct start_options options = {
        .listen = "127.0.0.1:8900",
        .listen_https = "127.0.0.1:8943",
        .auth = "any",
        .state_dir = state_path_default(),
        .zygote_sessions = "1000",
    };
    struct error err = {0};
    argp_err_exit_status = 2;
    if (argc > 1 && find_word(admin_commands, argv[1]))
        return run_admin(argv);
    log_set_process("launch");
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    if (!machine_is_fit())
        return 1;
    start_daemon(&options, &err);
    fprintf(stderr, "sandboxd: %s\n", err.message);
    return 1;
}
