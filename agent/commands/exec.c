/* sandpool exec: runs one program in a session and shows what it gave. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/commands/command.h"
#include "agent/local/save.h"
#include "agent/pool/value.h"
#include "agent/screen/terminal.h"
#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "base/core/text.h"

enum {
    CODE_BYTES_MAX = 16 * 1024 * 1024, /* the service's limit on a request body */
    TIMEOUT_DEFAULT_S = 220,           /* the service's own most */
    TIMEOUT_MAX_S = 86400, /* ours: pools of one's own may allow more than the service */
    FIGURES_MAX = 9999,
};

struct arguments {
    struct command command;
    const char *session; /* NULL: one of our own, removed afterwards */
    const char *code;
    const char *file; /* "-": standard input */
    const char *output;
    int64_t timeout_s;
    bool json;
};

/* ---- arguments ---- */

enum { KEY_TIMEOUT = 0x200, KEY_JSON };

static const struct argp_option options[] = {
    {"session", 's', "ID", 0,
     "Run in this session and keep it (default: a new one, removed at the end)", 0},
    {"code", 'c', "CODE", 0, "The program itself", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "Longest time to run (default 220)", 0},
    {"json", KEY_JSON, NULL, 0, "Print the service's answer as it came", 0},
    {"output", 'o', "DIR", 0, "Where figures are saved (default \".\")", 0},
    {0},
};

static int64_t parse_timeout(const char *text, struct argp_state *state)
{
    uint64_t seconds = 0;
    if (!text_parse_u64(text, &seconds) || seconds < 1 || seconds > TIMEOUT_MAX_S)
        argp_error(state, "--timeout must be from 1 to %d seconds", TIMEOUT_MAX_S);
    return (int64_t)seconds;
}

static error_t on_key(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->command;
        return 0;
    case 's':
        arguments->session = argument;
        return 0;
    case 'c':
        arguments->code = argument;
        return 0;
    case 'o':
        arguments->output = argument;
        return 0;
    case KEY_TIMEOUT:
        arguments->timeout_s = parse_timeout(argument, state);
        return 0;
    case KEY_JSON:
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->file || arguments->code)
            argp_error(state, "give one program: -c CODE, a file, or - for standard input");
        arguments->file = argument;
        return 0;
    case ARGP_KEY_END:
        if (arguments->file && arguments->code)
            argp_error(state, "give one program: -c CODE, a file, or - for standard input");
        if (!arguments->file && !arguments->code && isatty(STDIN_FILENO))
            argp_error(state, "give a program: -c CODE, a file, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the program ---- */

static char *read_code(const struct arguments *arguments, size_t *ret_length, struct error *err)
{
    if (arguments->code) {
        *ret_length = strlen(arguments->code);
        return xstrdup(arguments->code);
    }
    bool from_input = !arguments->file || strcmp(arguments->file, "-") == 0;
    const char *name = from_input ? "standard input" : arguments->file;
    AUTO_CLOSE int opened = from_input ? -1 : open(arguments->file, O_RDONLY | O_CLOEXEC);
    if (!from_input && opened < 0) {
        error_from_errno(err, "open %.200s", name);
        return NULL;
    }
    char *code = text_read_all(from_input ? STDIN_FILENO : opened, CODE_BYTES_MAX, ret_length, err);
    if (!code)
        error_add_context(err, "read %.200s", name);
    return code;
}

static int check_code(const char *code, size_t length, struct error *err)
{
    if (length == 0)
        return error_set(err, ERROR_INVALID, "the program is empty");
    if (memchr(code, '\0', length))
        return error_set(err, ERROR_INVALID,
                         "the program contains a NUL byte; it must be UTF-8 text");
    if (!text_is_utf8(code, length))
        return error_set(err, ERROR_INVALID, "the program is not UTF-8 text");
    return 0;
}

/* Python skips a byte order mark at the start of a file; in the middle of a request it would be an
 * error. */
static void drop_byte_order_mark(char *code, size_t *length)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t mark_length = strlen(mark);
    if (*length < mark_length || memcmp(code, mark, mark_length) != 0)
        return;
    *length -= mark_length;
    memmove(code, code + mark_length, *length + 1);
}

static int prepare_request(const struct arguments *arguments,
                           struct wire_execution_request *ret_request, struct error *err)
{
    size_t length;
    AUTO_FREE char *code = read_code(arguments, &length, err);
    if (!code)
        return -1;
    drop_byte_order_mark(code, &length);
    if (check_code(code, length, err) < 0)
        return -1;
    *ret_request = (struct wire_execution_request){.code = TAKE(code),
                                                   .code_length = length,
                                                   .execution_type = xstrdup("Synchronous"),
                                                   .timeout_s = arguments->timeout_s,
                                                   .output_streams_max_length = -1};
    return 0;
}

/* ---- the answer ---- */

static int save_as(const char *path, const struct value *value, struct error *err)
{
    struct save save = {0};
    if (save_begin(&save, path, false, err) < 0)
        return -1;
    if (save_write(&save, value->data, value->length, err) < 0) {
        save_abort(&save);
        return -1;
    }
    return save_commit(&save, err);
}

/* Takes the first number that is free. */
static int save_figure(const char *directory, const struct value *value, struct error *err)
{
    if (mkdir(directory, 0777) == 0)
        command_warn("created the directory %.200s", directory);
    for (int number = 1; number <= FIGURES_MAX; number++) {
        AUTO_FREE char *path = xasprintf("%s/figure-%d.png", directory, number);
        if (save_as(path, value, err) == 0) {
            command_warn("saved a figure as %.400s", path);
            return 0;
        }
        if (err->code != ERROR_CONFLICT)
            return -1;
    }
    return error_set(err, ERROR_LIMIT, "%.200s holds %d figures already", directory, FIGURES_MAX);
}

static int print_value(struct terminal *output, const struct wire_execution *execution,
                       const char *directory, struct error *err)
{
    struct value value;
    if (value_read(execution->result, execution->result_length, &value, err) < 0)
        return -1;
    int result = 0;
    if (value.kind == VALUE_IMAGE)
        result = save_figure(directory, &value, err);
    if (value.kind == VALUE_TEXT) {
        if (output->last_byte != '\0' && output->last_byte != '\n')
            result = terminal_write(output, "\n", 1, err);
        if (result == 0)
            result = terminal_write(output, value.data, value.length, err);
        if (result == 0)
            result = terminal_write(output, "\n", 1, err);
    }
    value_clear(&value);
    return result;
}

/* Beside what the program wrote, one line each. */
static void print_refusals(const struct wire_execution *execution)
{
    for (size_t i = 0; i < execution->refusal_count; i++) {
        const struct wire_refusal *refusal = &execution->refusals[i];
        const char *subject = refusal->subject;
        if (refusal->kind == WIRE_REFUSAL_NETWORK)
            command_warn("refused: %.200s: no network in this session", subject);
        else if (refusal->kind == WIRE_REFUSAL_FILE)
            command_warn("refused: %.200s: %.40s", subject,
                         refusal->error ? refusal->error : "refused");
        else
            command_warn("refused: %.200s(): not allowed in this session", subject);
    }
}

static int print_execution(const struct wire_execution *execution, const char *directory,
                           struct error *err)
{
    struct terminal output = terminal_of(stdout);
    struct terminal errors = terminal_of(stderr);
    if (terminal_write(&output, execution->standard_output, execution->standard_output_length,
                       err) < 0 ||
        terminal_finish(&output, err) < 0)
        return -1;
    if (terminal_write(&errors, execution->standard_error, execution->standard_error_length, err) <
            0 ||
        (errors.last_byte != '\0' && errors.last_byte != '\n' &&
         terminal_write(&errors, "\n", 1, err) < 0) ||
        terminal_finish(&errors, err) < 0)
        return -1;
    if (print_value(&output, execution, directory, err) < 0 || terminal_finish(&output, err) < 0)
        return -1;
    print_refusals(execution);
    return 0;
}

static int print_answer(const struct buf *answer, struct error *err)
{
    struct terminal output = terminal_of(stdout);
    if (terminal_write(&output, answer->data, answer->length, err) < 0 ||
        terminal_write(&output, "\n", 1, err) < 0)
        return -1;
    return terminal_finish(&output, err);
}

static enum command_status show(const struct arguments *arguments, const struct pool_result *result)
{
    struct error err = {0};
    int shown = arguments->json ? print_answer(&result->answer, &err)
                                : print_execution(&result->execution, arguments->output, &err);
    if (shown < 0)
        return command_report_error(&err);
    switch (result->execution.status) {
    case WIRE_STATUS_SUCCEEDED:
        return COMMAND_OK;
    case WIRE_STATUS_FAILED:
    case WIRE_STATUS_CANCELED:
        return COMMAND_FAILED;
    default:
        command_warn("the pool answered before the program had ended");
        return COMMAND_UNREACHABLE;
    }
}

/* ---- the run ---- */

/* A session of our own is gone when we are, however the program ended. Output is printed after
 * that: nobody can then interrupt us in between. */
static void remove_session(struct command *command, const char *identifier, bool must_work)
{
    command->tidies_up = true;
    struct pool_handler handler = command_begin(command);
    bool removed = command_end_quietly(
        command, pool_client_delete_session(command->pool, identifier, &handler, &command->call,
                                            &command->result.failure));
    if (!removed && must_work)
        command_warn("the session %s was not removed and lives until its cooldown: %s", identifier,
                     command->result.failure.message);
}

static enum command_status run(struct arguments *arguments,
                               const struct wire_execution_request *request,
                               struct pool_result *ret_result)
{
    struct command *command = &arguments->command;
    char guid[GUID_TEXT_MAX];
    random_guid(guid);
    const char *identifier = arguments->session ? arguments->session : guid;

    struct pool_handler handler = command_begin(command);
    int started = pool_client_execute(command->pool, identifier, request, &handler, &command->call,
                                      &command->result.failure);
    enum command_status status = command_end(command, started);
    *ret_result = command->result;
    command->result = (struct pool_result){0};

    if (!arguments->session && started == 0)
        remove_session(command, identifier, ret_result->succeeded);
    if (arguments->session && command->caught)
        command_warn("the program may still be running in session %s", identifier);
    return status;
}

int exec_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{.argp = &command_options}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = on_key,
        .args_doc = "[FILE|-]",
        .doc = "Runs Python in a session and prints its output, then the value of its last "
               "expression.\vExit status: 0 succeeded, 1 the program failed, 2 wrong usage, 3 the "
               "pool cannot be reached or used, 4 the pool refused.",
        .children = children};
    struct arguments arguments = {.output = ".", .timeout_s = TIMEOUT_DEFAULT_S};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);

    struct error err = {0};
    struct wire_execution_request request = {0};
    if (prepare_request(&arguments, &request, &err) < 0) {
        command_report_error(&err);
        return COMMAND_USAGE;
    }
    struct pool_result result = {0};
    enum command_status status = command_open(&arguments.command);
    if (status == COMMAND_OK)
        status = run(&arguments, &request, &result);
    command_close(&arguments.command);
    if (status == COMMAND_OK)
        status = show(&arguments, &result);
    pool_result_clear(&result);
    wire_execution_request_clear(&request);
    return status;
}
