/* sandboxd: arguments, then launch. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandboxd/launch/start.h"

const char *argp_program_version = "sandboxd " SANDPOOL_VERSION;

static const char documentation[] =
    "Serves the Azure Container Apps Dynamic Sessions API on this machine: isolated Python "
    "sessions "
    "with state, files under /mnt/data and no network."
    "\vGET /health answers 200 once sessions can be started. SIGTERM stops everything. "
    "The default pool is at / and at "
    "/subscriptions/local/resourceGroups/local/sessionPools/default.\n\n"
    "`sandboxd env`, `sandboxd token` and `sandboxd ca` print what clients of a daemon need; each "
    "has "
    "--help.";

enum { OPTION_LISTEN = 'l', OPTION_STATE_DIR = 's', OPTION_CONFIG = 'c', OPTION_INSECURE = 256 };

static const struct argp_option option_table[] = {
    {"listen", OPTION_LISTEN, "ADDRESS:PORT", 0, "where to serve HTTP (127.0.0.1:8900)", 0},
    {"state-dir", OPTION_STATE_DIR, "DIR", 0, "what is kept between starts (/var/lib/sandpool)", 0},
    {"config", OPTION_CONFIG, "FILE", 0, "pools and their limits, as JSON", 0},
    {"insecure", OPTION_INSECURE, NULL, 0, "listen on an address that is not loopback", 0},
    {0},
};

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct start_options *options = state->input;
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
    case OPTION_INSECURE:
        options->insecure = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unknown argument: %s", value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* `sandboxd env`, `token` and `ca` are another program, in libexec/ beside our bin/: what may start
 * the daemon needs nothing of what they need. */
static bool is_admin_command(const char *word)
{
    static const char *const words[] = {"env", "token", "ca"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static int run_admin(char **argv)
{
    static const char helper[] = "/libexec/sandpool/sandboxd-admin";
    char path[PATH_MAX + sizeof helper];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    path[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < 2; i++) { /* the file, then bin */
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    strcat(path, helper);
    execv(path, argv);
    fprintf(stderr, "sandboxd: %s: %m\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct argp parser = {option_table, on_option, NULL, documentation,
                                       NULL,         NULL,      NULL};
    struct start_options options = {
        .listen = "127.0.0.1:8900",
        .state_dir = "/var/lib/sandpool",
    };
    struct error err = {0};
    argp_err_exit_status = 2;
    if (argc > 1 && is_admin_command(argv[1]))
        return run_admin(argv);
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    start_daemon(&options, &err);
    fprintf(stderr, "sandboxd: %s\n", err.message);
    return 1;
}
