/* sandpool tape: scripts and tapes; serve is here. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "agent/commands/command.h"
#include "agent/commands/tape_files.h"
#include "agent/tape/player.h"
#include "agent/tape/scripted.h"
#include "base/core/listener.h"

enum { TAPE_MISMATCH = 5 }; /* exit status: a request was not what the script expects */

/* ---- serve ---- */

struct serving {
    const char *path;
    const char *listen;
    const char *chunks;

    struct loop *loop;
    struct player *player;
    struct scripted scripted;
    int listen_fd;
    int signal_fd;
    struct watch signal_watch;
};

enum { KEY_LISTEN = 0x200, KEY_CHUNKS };

static const struct argp_option serve_options[] = {
    {"listen", KEY_LISTEN, "ADDRESS:PORT", 0, "Where to listen (default 127.0.0.1:0, a free port)",
     0},
    {"chunks", KEY_CHUNKS, "HOW", 0,
     "How answers are cut into pieces, whatever the script says: events, whole, a number of bytes, "
     "or \"random SEED\"",
     0},
    {0},
};

static error_t on_serve_key(int key, char *argument, struct argp_state *state)
{
    struct serving *serving = state->input;
    switch (key) {
    case KEY_LISTEN:
        serving->listen = argument;
        return 0;
    case KEY_CHUNKS:
        serving->chunks = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (serving->path)
            argp_error(state, "one script at a time");
        serving->path = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name the script");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void on_mismatch(void *self, const struct error *why)
{
    const struct serving *serving = self;
    command_warn("%s: %s", serving->path, why->message);
}

static void on_stop(void *self, uint32_t events)
{
    (void)events;
    loop_stop(((struct serving *)self)->loop);
}

static int watch_signals(struct serving *serving, struct error *err)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, NULL);
    serving->signal_fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (serving->signal_fd < 0)
        return error_from_errno(err, "signalfd");
    return loop_watch(serving->loop, &serving->signal_watch, serving->signal_fd, EPOLLIN, on_stop,
                      serving, err);
}

static int open_listener(struct serving *serving, struct error *err)
{
    struct listener_address address = {.option = "--listen", .text = serving->listen};
    int result = listener_open(&address, &serving->listen_fd, err);
    if (result < 0 && err->code == ERROR_DENIED)
        return error_set(err, ERROR_DENIED,
                         "--listen %s: scripts are played on the loopback only, as on 127.0.0.1:0",
                         serving->listen);
    return result;
}

static int start_serving(struct serving *serving, struct error *err)
{
    struct player_handler handler = scripted_handler(&serving->scripted);
    serving->scripted.on_mismatch = on_mismatch;
    serving->scripted.self = serving;
    serving->loop = loop_create(clock_system(), err);
    if (!serving->loop || watch_signals(serving, err) < 0 || open_listener(serving, err) < 0)
        return -1;
    return player_create(serving->loop, serving->listen_fd, &handler, &serving->player, err);
}

/* Until a signal. What scripts and tests read is the one line on standard output. */
static int serve(struct serving *serving, struct error *err)
{
    if (start_serving(serving, err) < 0)
        return -1;
    if (printf("%s/v1\n", player_url(serving->player)) < 0 || fflush(stdout) != 0)
        return error_from_errno(err, "standard output");
    return loop_run(serving->loop, err);
}

static void stop_serving(struct serving *serving)
{
    player_destroy(serving->player);
    if (serving->loop)
        loop_unwatch(serving->loop, &serving->signal_watch);
    close_fd(&serving->signal_fd);
    close_fd(&serving->listen_fd);
    loop_destroy(serving->loop);
    act_destroy(serving->scripted.act);
}

static int serve_run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = serve_options,
        .parser = on_serve_key,
        .args_doc = "SCRIPT",
        .doc =
            "Plays a script as an OpenAI-compatible model server until it is interrupted, and "
            "prints its URL.\vExit status: 0; 5 when a request was not what the script expects."};
    struct serving serving = {.listen = "127.0.0.1:0", .listen_fd = -1, .signal_fd = -1};
    argp_parse(&argp, argc, argv, 0, NULL, &serving);

    AUTO(script) struct script *script = NULL;
    struct script_chunks chunks = {0};
    struct error err = {0};
    if (script_load(serving.path, &script, &err) < 0 ||
        (serving.chunks && script_read_chunks(serving.chunks, &chunks, &err) < 0)) {
        command_warn("%s", err.message);
        return COMMAND_USAGE;
    }
    serving.scripted.act = act_create(script, serving.chunks ? &chunks : NULL);
    int result = serve(&serving, &err);
    stop_serving(&serving);
    if (result < 0)
        return command_report_error(&err);
    return serving.scripted.mismatches > 0 ? TAPE_MISMATCH : COMMAND_OK;
}

int tape_run(int argc, char **argv)
{
    static const struct command_row rows[] = {
        {"serve", "play a script as a model server", serve_run},
        {"check", "say what is wrong with tapes and scripts", tape_check_run},
        {"show", "list what is on a tape", tape_show_run},
        {0}};
    return command_dispatch(rows, "Models without a model: scripts and tapes.", argc, argv);
}
