/* sandpool run: one task for a model, from the command line. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/commands/command.h"
#include "agent/commands/deliver.h"
#include "agent/commands/run_screen.h"
#include "agent/settings/environment.h"
#include "agent/settings/model_choice.h"
#include "agent/turn/prompt.h"
#include "agent/turn/turn.h"
#include "base/core/identifier.h"
#include "base/core/text.h"

/* Exit statuses of this command; the others have theirs (command.h). */
enum run_status {
    RUN_ANSWERED = 0,
    RUN_USAGE = 1,
    RUN_MODEL = 2,
    RUN_SESSION = 3,
    RUN_STOPPED = 4,
    RUN_CANCELLED = 130,
};

enum {
    TASK_BYTES_MAX = 1024 * 1024,
    FILES_MAX = 1000,
    TIME_DEFAULT_S = 900,
    TIME_MAX_S = 86400,
    POOL_WAIT_DEFAULT_S = 30,
    PROGRAM_TIMEOUT_S = 220, /* the service's own most */
};

struct arguments {
    struct command command;
    const char *task;
    const char *files[FILES_MAX];
    size_t file_count;
    const char *output;
    const char *session;
    const char *model;
    bool keeps_session;
    bool json;
    bool trace;
    bool react;
    bool responses;
    bool network_is_open;
    struct tool_set tools;
    struct guard_limits limits;
    int64_t pool_wait_ms;
};

struct run {
    struct arguments *arguments;
    struct model *model;
    struct session *session;
    struct conversation conversation;
    struct run_screen screen;
    struct deliver deliver;
    struct turn *turn;
    unsigned figures;
    enum run_status status;
};

/* ---- arguments ---- */

enum {
    KEY_FILE = 'f',
    KEY_JSON = 0x200,
    KEY_TRACE,
    KEY_KEEP,
    KEY_STEPS,
    KEY_TIME,
    KEY_TOKENS,
    KEY_COST,
    KEY_PRICE,
    KEY_COMPATIBLE,
    KEY_SHELL,
    KEY_DOWNLOAD,
    KEY_PROTOCOL,
    KEY_NETWORK,
    KEY_POOL_WAIT,
};

static const struct argp_option options[] = {
    {"prompt", 'p', "TASK", 0, "The task; \"-\" reads it from standard input", 0},
    {"file", KEY_FILE, "FILE", 0, "Give the session this file (may be repeated)", 0},
    {"output", 'o', "DIR", 0, "Where files that were made are saved (default \".\")", 0},
    {"json", KEY_JSON, NULL, 0, "Print events as JSON, one a line", 0},
    {"trace", KEY_TRACE, NULL, 0, "Show programs and their output on standard error", 0},
    {"model", 'm', "NAME", 0, "The model or deployment (else the environment's)", 1},
    {"protocol", KEY_PROTOCOL, "HOW", 0, "tools (default), react or responses", 1},
    {"session", 's', "ID", 0, "Use this session and keep it", 2},
    {"keep-session", KEY_KEEP, NULL, 0, "Do not remove the session at the end", 2},
    {"pool-wait", KEY_POOL_WAIT, "SECONDS", 0, "How long a full pool is asked again (default 30)",
     2},
    {"network", KEY_NETWORK, NULL, 0, "The pool has egress: tell the model so", 2},
    {"max-steps", KEY_STEPS, "N", 0, "Most model calls (default 25)", 3},
    {"max-time", KEY_TIME, "SECONDS", 0, "Longest time (default 900)", 3},
    {"max-tokens", KEY_TOKENS, "N", 0, "Most tokens, of all calls", 3},
    {"max-cost", KEY_COST, "AMOUNT", 0, "Most money, by --price", 3},
    {"price", KEY_PRICE, "IN:OUT", 0, "What a million tokens cost", 3},
    {"shell", KEY_SHELL, NULL, 0, "Offer the tool run_shell too", 4},
    {"download-tool", KEY_DOWNLOAD, NULL, 0, "Offer the tool download_file too", 4},
    {"langchain", KEY_COMPATIBLE, NULL, 0, "Name and answer the tool as LangChain does", 4},
    {0},
};

static int64_t parse_number(const char *text, const char *name, int64_t most,
                            struct argp_state *state)
{
    uint64_t number = 0;
    if (!text_parse_u64(text, &number) || number < 1 || number > (uint64_t)most)
        argp_error(state, "--%s must be from 1 to %lld", name, (long long)most);
    return (int64_t)number;
}

static double parse_amount(const char *text, char **ret_end, const char *name,
                           struct argp_state *state)
{
    double amount = strtod(text, ret_end);
    if (*ret_end == text || !(amount >= 0) || amount > 1e9)
        argp_error(state, "--%s must be an amount, such as 0.25", name);
    return amount;
}

static void parse_price(struct arguments *arguments, const char *text, struct argp_state *state)
{
    char *end;
    arguments->limits.input_price = parse_amount(text, &end, "price", state);
    if (*end != ':')
        argp_error(state, "--price must be two amounts, such as 0.15:0.60");
    arguments->limits.output_price = parse_amount(end + 1, &end, "price", state);
}

static void parse_protocol(struct arguments *arguments, const char *text, struct argp_state *state)
{
    arguments->react = strcmp(text, "react") == 0;
    arguments->responses = strcmp(text, "responses") == 0;
    if (!arguments->react && !arguments->responses && strcmp(text, "tools") != 0)
        argp_error(state, "--protocol must be tools, react or responses");
}

static void check_arguments(struct arguments *arguments, struct argp_state *state)
{
    if (!arguments->task)
        argp_error(state, "give the task: -p \"TASK\", or -p - for standard input");
    if (arguments->limits.cost > 0 &&
        arguments->limits.input_price + arguments->limits.output_price <= 0)
        argp_error(state, "--max-cost needs --price");
    if (arguments->session && !identifier_is_valid(arguments->session, strlen(arguments->session)))
        argp_error(state, "--session must be %d to %d printable ASCII characters without spaces",
                   IDENTIFIER_LENGTH_MIN, IDENTIFIER_LENGTH_MAX);
}

static error_t on_limit_key(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct guard_limits *limits = &arguments->limits;
    char *end;
    switch (key) {
    case KEY_STEPS:
        limits->model_calls = (unsigned)parse_number(argument, "max-steps", 10000, state);
        return 0;
    case KEY_TIME:
        limits->time_ms = parse_number(argument, "max-time", TIME_MAX_S, state) * 1000;
        return 0;
    case KEY_TOKENS:
        limits->tokens = parse_number(argument, "max-tokens", INT64_C(1) << 40, state);
        return 0;
    case KEY_COST:
        limits->cost = parse_amount(argument, &end, "max-cost", state);
        return 0;
    case KEY_PRICE:
        parse_price(arguments, argument, state);
        return 0;
    case KEY_POOL_WAIT:
        arguments->pool_wait_ms = parse_number(argument, "pool-wait", TIME_MAX_S, state) * 1000;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t on_key(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->command;
        return 0;
    case 'p':
        arguments->task = argument;
        return 0;
    case KEY_FILE:
        if (arguments->file_count == FILES_MAX)
            argp_error(state, "at most %d files", FILES_MAX);
        arguments->files[arguments->file_count++] = argument;
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case 'm':
        arguments->model = argument;
        return 0;
    case 's':
        arguments->session = argument;
        return 0;
    case KEY_JSON:
        arguments->json = true;
        return 0;
    case KEY_TRACE:
        arguments->trace = true;
        return 0;
    case KEY_KEEP:
        arguments->keeps_session = true;
        return 0;
    case KEY_NETWORK:
        arguments->network_is_open = true;
        return 0;
    case KEY_SHELL:
        arguments->tools.has_shell = true;
        return 0;
    case KEY_DOWNLOAD:
        arguments->tools.has_download = true;
        return 0;
    case KEY_COMPATIBLE:
        arguments->tools.is_langchain = true;
        return 0;
    case KEY_PROTOCOL:
        parse_protocol(arguments, argument, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "what is %s? the task is given with -p, files with --file", argument);
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return on_limit_key(key, argument, state);
    }
}

/* ---- before the turn ---- */

static char *read_task(const char *task, struct error *err)
{
    size_t length = strlen(task);
    char *text = strcmp(task, "-") == 0 ? text_read_all(STDIN_FILENO, TASK_BYTES_MAX, &length, err)
                                        : xstrdup(task);
    if (!text)
        return NULL;
    bool is_text = text_is_utf8(text, length) && !memchr(text, '\0', length);
    if (is_text && text[strspn(text, " \t\r\n")] != '\0' && length <= TASK_BYTES_MAX)
        return text;
    error_set(err, ERROR_INVALID, "the task must be UTF-8 text of at most %d bytes, and not empty",
              TASK_BYTES_MAX);
    free(text);
    return NULL;
}

/* A file keeps the last part of its path; two of one name would hide one another. */
static int describe_files(const struct arguments *arguments, struct buf *out, struct error *err)
{
    for (size_t i = 0; i < arguments->file_count; i++) {
        const char *path = arguments->files[i];
        const char *name = save_base_name(path);
        if (!name)
            return error_set(err, ERROR_INVALID, "--file %.300s does not name a file", path);
        for (size_t other = 0; other < i; other++) {
            if (strcmp(save_base_name(arguments->files[other]), name) == 0)
                return error_set(err, ERROR_INVALID, "two files are called %.300s", name);
        }
        if (prompt_describe_file(path, name, out, err) < 0)
            return error_add_context(err, "--file");
    }
    return 0;
}

static int open_model(struct run *run, const struct model_settings *given, struct error *err)
{
    struct arguments *arguments = run->arguments;
    struct command *command = &arguments->command;
    struct model_settings settings = *given;
    struct credential credential = {0};
    settings.allow_insecure = command->insecure;
    if (settings.use_credential)
        credential = command_identity(command);
    random_bytes(&settings.seed, sizeof settings.seed);
    return model_create(command->loop, command->http, &settings, credential, &run->model, err);
}

static void open_session(struct run *run)
{
    struct arguments *arguments = run->arguments;
    char guid[GUID_TEXT_MAX];
    random_guid(guid);
    run->session =
        session_create(arguments->command.loop, arguments->command.pool,
                       arguments->session ? arguments->session : guid, arguments->pool_wait_ms);
    for (size_t i = 0; i < arguments->file_count; i++)
        session_add_file(run->session, arguments->files[i], save_base_name(arguments->files[i]));
}

/* ---- the turn ---- */

static enum run_status status_of(const struct turn_outcome *outcome)
{
    static const enum run_status statuses[] = {[TURN_ANSWERED] = RUN_ANSWERED,
                                               [TURN_MODEL_FAILED] = RUN_MODEL,
                                               [TURN_SESSION_FAILED] = RUN_SESSION,
                                               [TURN_STOPPED] = RUN_STOPPED,
                                               [TURN_CANCELLED] = RUN_CANCELLED};
    return statuses[outcome->status];
}

static void on_event(void *self, const struct turn_event *event)
{
    struct run *run = self;
    run_screen_event(&run->screen, event);
    if (event->kind == TURN_FILE)
        deliver_add(&run->deliver, event->file->path);
    if (event->kind == TURN_IMAGE)
        deliver_image(&run->deliver, event->text, event->data, event->length);
}

static void on_turn_done(void *self, const struct turn_outcome *outcome)
{
    struct run *run = self;
    run->turn = NULL;
    run->status = status_of(outcome);
    run_screen_done(&run->screen, outcome);
}

static void on_interrupt(void *self)
{
    struct run *run = self;
    if (run->turn)
        turn_cancel(run->turn);
}

static void take_turn(struct run *run, const char *task, const char *files)
{
    struct arguments *arguments = run->arguments;
    struct command *command = &arguments->command;
    struct turn_options turn = {.loop = command->loop,
                                .model = run->model,
                                .session = run->session,
                                .conversation = &run->conversation,
                                .tools = &arguments->tools,
                                .limits = arguments->limits,
                                .program_timeout_s = PROGRAM_TIMEOUT_S,
                                .network_is_open = arguments->network_is_open,
                                .figure_count = &run->figures};
    struct turn_handler handler = {.self = run, .on_event = on_event, .on_done = on_turn_done};
    run_screen_start(&run->screen, run->conversation.id, session_identifier(run->session));
    run->turn = turn_start(&turn, task, files, &handler);
    command->on_interrupt = on_interrupt;
    command->interrupted = run;
    while (run->turn) {
        struct error err;
        if (loop_run_once(command->loop, -1, &err) < 0) {
            command_warn("%s", err.message);
            turn_cancel(run->turn);
        }
    }
    command->on_interrupt = NULL;
}

/* A session of our own ends with us, whatever the turn came to. */
static void remove_session(struct run *run)
{
    struct command *command = &run->arguments->command;
    if (run->arguments->session || run->arguments->keeps_session ||
        !session_is_touched(run->session))
        return;
    command->tidies_up = true;
    struct pool_handler handler = command_begin(command);
    int started = pool_client_delete_session(command->pool, session_identifier(run->session),
                                             &handler, &command->call, &command->result.failure);
    if (!command_end_quietly(command, started) && session_exists(run->session))
        command_warn("the session %s was not removed and lives until its cooldown: %s",
                     session_identifier(run->session), command->result.failure.message);
}

static void run_task(struct run *run, const char *task, const char *files,
                     const struct model_settings *settings)
{
    struct error err = {0};
    if (open_model(run, settings, &err) < 0) {
        command_warn("%s", err.message);
        run->status = RUN_MODEL;
        return;
    }
    open_session(run);
    take_turn(run, task, files);
    if (deliver_all(&run->deliver, &run->arguments->command, session_identifier(run->session),
                    &run->screen) < 0 &&
        run->status == RUN_ANSWERED)
        run->status = RUN_SESSION;
    remove_session(run);
}

static enum run_status run_with(struct arguments *arguments)
{
    AUTO_BUF struct buf files = {0};
    struct error err = {0};
    AUTO_FREE char *task = read_task(arguments->task, &err);
    if (!task || describe_files(arguments, &files, &err) < 0) {
        command_warn("%s", err.message);
        return RUN_USAGE;
    }
    struct model_options chosen = {.model = arguments->model,
                                   .protocol = arguments->react ? "react" : NULL,
                                   .wire = arguments->responses ? "responses" : NULL};
    struct model_choice choice;
    if (environment_load(&err) < 0 || model_choose(&chosen, &choice, &err) < 0) {
        command_warn("%s", err.message);
        return RUN_MODEL;
    }
    struct run run = {.arguments = arguments,
                      .screen = {.json = arguments->json, .trace = arguments->trace},
                      .deliver = {.directory = arguments->output},
                      .status = RUN_SESSION};
    tool_set_begin(&arguments->tools);
    conversation_begin(&run.conversation);
    enum command_status opened = command_open(&arguments->command);
    if (opened == COMMAND_OK)
        run_task(&run, task, files.data ? files.data : "", &choice.settings);
    else
        run.status = opened == COMMAND_USAGE ? RUN_USAGE : RUN_SESSION;
    session_destroy(run.session);
    model_destroy(run.model);
    conversation_clear(&run.conversation);
    deliver_clear(&run.deliver);
    run_screen_clear(&run.screen);
    command_close(&arguments->command);
    return run.status;
}

int run_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{.argp = &command_options}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = on_key,
        .args_doc = "",
        .doc = "Lets a model solve a task with programs that it runs in a session. The answer is "
               "printed; files that were made are saved.\vExit status: 0 answered, 1 wrong usage, "
               "2 the model, 3 the session or its pool, 4 stopped by a limit, 130 cancelled.",
        .children = children};
    static struct arguments arguments = {
        .output = ".",
        .pool_wait_ms = POOL_WAIT_DEFAULT_S * 1000,
        .limits = {.model_calls = GUARD_MODEL_CALLS_DEFAULT, .time_ms = TIME_DEFAULT_S * 1000}};
    argp_err_exit_status = RUN_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return run_with(&arguments);
}
