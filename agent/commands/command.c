#include "agent/commands/command.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/credential/identity.h"
#include "agent/screen/terminal.h"
#include "agent/settings/environment.h"
#include "base/core/cleanup.h"
#include "base/core/variable.h"

const char *argp_program_version = "sandpool " SANDPOOL_VERSION;

/* ---- messages ---- */

void command_warn(const char *format, ...)
{
    AUTO_BUF struct buf safe = {0};
    char text[2 * ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    terminal_escape(&safe, text, strlen(text), TERMINAL_LINE, true);
    fprintf(stderr, "sandpool: %s\n", safe.data);
}

enum command_status command_report_error(const struct error *error)
{
    if (error->number != EPIPE)
        command_warn("%s", error->message);
    return COMMAND_FAILED;
}

/* What to do about a refusal, by HTTP status. */
static const struct {
    unsigned status;
    const char *hint;
} hints[] = {
    {401,
     "check the credential: SANDPOOL_TOKEN, or the identity that was found, must bring a current "
     "token for " CREDENTIAL_SCOPE_POOL},
    {403, "this identity needs the role \"Azure ContainerApps Session Executor\" "
          "(0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0) on the pool"},
    {404,
     "check the name; \"sandpool files ls\" lists the files, and the endpoint must name the pool"},
    {413, "the service accepts files of up to 128 MB and programs of up to 16 MiB"},
    {429, "the pool is full: remove sessions with \"sandpool sessions rm\", or try again later"},
};

static void print_hint(const struct pool_result *result)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (hints[i].status == result->status)
            command_warn("%s", hints[i].hint);
    }
    if (result->retry_after_s >= 0)
        command_warn("the pool asks to retry after %lld seconds (Retry-After)",
                     (long long)result->retry_after_s);
}

enum command_status command_report(const struct command *command)
{
    const struct pool_result *result = &command->result;
    if (command->caught) /* whoever pressed Ctrl-C knows why */
        return COMMAND_UNREACHABLE;
    command_warn("%s", result->failure.message);
    if (result->refused)
        print_hint(result);
    else if (result->status == 0 && result->failure.code == ERROR_SYSTEM)
        command_warn("check the endpoint, and that the pool is running");
    if (result->refused && result->status >= 400 && result->status < 500)
        return COMMAND_REFUSED;
    /* No call was made, and the arguments are why. */
    if (result->status == 0 && result->failure.code == ERROR_INVALID)
        return COMMAND_USAGE;
    if (result->status == 0 && result->failure.code == ERROR_LIMIT)
        return COMMAND_FAILED;
    return COMMAND_UNREACHABLE;
}

/* ---- subcommands ---- */

struct dispatch {
    const struct command_row *rows;
    const struct command_row *chosen;
    int first; /* argument index of its name */
};

static error_t on_dispatch_key(int key, char *argument, struct argp_state *state)
{
    struct dispatch *dispatch = state->input;
    if (key == ARGP_KEY_NO_ARGS)
        argp_usage(state);
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;

    for (const struct command_row *row = dispatch->rows; row->name; row++) {
        if (strcmp(row->name, argument) == 0)
            dispatch->chosen = row;
    }
    if (!dispatch->chosen)
        argp_error(state, "no such command: %s", argument);
    dispatch->first = state->next - 1;
    state->next = state->argc; /* the rest is the subcommand's */
    return 0;
}

int command_dispatch(const struct command_row *rows, const char *summary, int argc, char **argv)
{
    AUTO_BUF struct buf doc = {0};
    buf_printf(&doc, "%s\vCommands:\n", summary);
    for (const struct command_row *row = rows; row->name; row++)
        buf_printf(&doc, "  %-10s %s\n", row->name, row->summary);
    buf_append_text(&doc, "\nEach command explains itself with --help.");

    struct dispatch dispatch = {.rows = rows};
    const struct argp argp = {
        .parser = on_dispatch_key, .args_doc = "COMMAND [ARGUMENT...]", .doc = doc.data};
    argp_err_exit_status = COMMAND_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &dispatch);

    AUTO_FREE char *name = xasprintf("%s %s", argv[0], dispatch.chosen->name);
    argv[dispatch.first] = name;
    return dispatch.chosen->run(argc - dispatch.first, argv + dispatch.first);
}

/* ---- common options ---- */

enum { KEY_API_VERSION = 0x100, KEY_INSECURE };

static const struct argp_option options[] = {
    {"endpoint", 'e', "URL", 0,
     "The pool management endpoint (else POOL_MANAGEMENT_ENDPOINT or "
     "AZURE_DYNAMIC_SESSIONS_POOL_MANAGEMENT_ENDPOINT)",
     10},
    {"api-version", KEY_API_VERSION, "VERSION", 0,
     "Version of the API to speak (default " POOL_VERSION_DEFAULT ")", 10},
    {"insecure", KEY_INSECURE, NULL, 0, "Allow plain http to another machine", 10},
    {0},
};

static error_t on_common_key(int key, char *argument, struct argp_state *state)
{
    struct command *command = state->input;
    switch (key) {
    case 'e':
        command->endpoint = argument;
        return 0;
    case KEY_API_VERSION:
        command->api_version = argument;
        return 0;
    case KEY_INSECURE:
        command->insecure = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp command_options = {.options = options, .parser = on_common_key};

static const char *find_endpoint(const struct command *command)
{
    static const char *const names[] = {"POOL_MANAGEMENT_ENDPOINT",
                                        "AZURE_DYNAMIC_SESSIONS_POOL_MANAGEMENT_ENDPOINT", NULL};
    return command->endpoint ? command->endpoint : variable_first(names);
}

/* As curl the program: the library by itself looks at none of them. */
static void trust_authorities(struct http_client *client)
{
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", NULL};
    const char *path = variable_first(names);
    if (path)
        http_client_trust(client, path);
}

/* ---- signals ---- */

static void die_by_signal(const struct command *command)
{
    signal(command->caught, SIG_DFL);
    sigprocmask(SIG_SETMASK, &command->mask_before, NULL);
    raise(command->caught);
}

static void on_signal(void *self, uint32_t events)
{
    (void)events;
    struct command *command = self;
    struct signalfd_siginfo info;
    if (read(command->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (command->caught) /* asked twice: do not wait for anything more */
        die_by_signal(command);
    command->caught = (int)info.ssi_signo;
    if (command->on_interrupt && !command->tidies_up)
        command->on_interrupt(command->interrupted);
    else if (command->call && !command->tidies_up)
        pool_call_cancel(command->call);
}

static int hold_signals(struct command *command, struct error *err)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, &command->mask_before);
    signal(SIGPIPE, SIG_IGN); /* a TLS connection that breaks would raise it */

    command->signal_fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (command->signal_fd < 0)
        return error_from_errno(err, "signalfd");
    return loop_watch(command->loop, &command->signal_watch, command->signal_fd, EPOLLIN, on_signal,
                      command, err);
}

/* ---- one run ---- */

struct credential command_identity(struct command *command)
{
    if (credential_is_given())
        return credential_from_environment(false);
    if (!command->identity)
        command->identity = identity_create(command->loop, command->http, false);
    return identity_credential(command->identity);
}

/* A token that is given goes first. A local pool takes any, unless the environment names an
 * identity for it. */
static struct credential find_credential(struct command *command, const char *endpoint)
{
    struct http_url url;
    bool is_local = http_url_read(endpoint, &url, NULL) == 0 && url.is_loopback;
    if (credential_is_given() || (is_local && !identity_is_given()))
        return credential_from_environment(is_local);
    command->identity = identity_create(command->loop, command->http, is_local);
    return identity_credential(command->identity);
}

static int connect_all(struct command *command, const char *endpoint, struct error *err)
{
    command->loop = loop_create(clock_system(), err);
    if (!command->loop || hold_signals(command, err) < 0)
        return -1;
    command->http = http_client_create(command->loop, argp_program_version, err);
    if (!command->http)
        return -1;
    trust_authorities(command->http);
    struct pool_client_options pool = {.endpoint = endpoint,
                                       .api_version = command->api_version,
                                       .allow_insecure = command->insecure,
                                       .credential = find_credential(command, endpoint)};
    return pool_client_create(command->http, &pool, &command->pool, err);
}

enum command_status command_open(struct command *command)
{
    command->signal_fd = -1;
    sigprocmask(SIG_SETMASK, NULL, &command->mask_before);
    struct error err = {0};
    if (environment_load(&err) < 0) {
        command_warn("%s", err.message);
        return COMMAND_USAGE;
    }
    const char *endpoint = find_endpoint(command);
    if (!endpoint) {
        command_warn("no pool: give --endpoint URL or set POOL_MANAGEMENT_ENDPOINT, for example to "
                     "http://127.0.0.1:8900");
        return COMMAND_USAGE;
    }
    if (connect_all(command, endpoint, &err) < 0) {
        command_warn("%s", err.message);
        return err.code == ERROR_SYSTEM ? COMMAND_UNREACHABLE : COMMAND_USAGE;
    }
    return COMMAND_OK;
}

void command_close(struct command *command)
{
    pool_result_clear(&command->result);
    pool_client_destroy(command->pool);
    identity_destroy(command->identity);
    http_client_destroy(command->http);
    if (command->loop)
        loop_unwatch(command->loop, &command->signal_watch);
    close_fd(&command->signal_fd);
    loop_destroy(command->loop);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &command->mask_before, NULL);
    if (command->caught)
        die_by_signal(command);
}

static void on_done(void *self, struct pool_result *result)
{
    struct command *command = self;
    command->call = NULL;
    command->result = *result;
    *result = (struct pool_result){0};
}

struct pool_handler command_begin(struct command *command)
{
    pool_result_clear(&command->result);
    command->result.retry_after_s = -1;
    return (struct pool_handler){.self = command, .on_done = on_done};
}

bool command_end_quietly(struct command *command, int started)
{
    if (started < 0)
        return false;
    while (command->call) {
        struct error err;
        if (loop_run_once(command->loop, -1, &err) < 0) {
            pool_call_cancel(command->call);
            command->result.failure = err;
        }
    }
    return command->result.succeeded;
}

enum command_status command_end(struct command *command, int started)
{
    return command_end_quietly(command, started) ? COMMAND_OK : command_report(command);
}
