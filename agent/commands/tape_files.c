#include "agent/commands/tape_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/commands/command.h"
#include "agent/screen/terminal.h"
#include "agent/tape/script.h"
#include "agent/tape/tape.h"
#include "base/core/text.h"

/* A tape or a script. */
struct opened {
    struct tape *tape;
    struct script *script;
};

static int open_either(const char *path, struct opened *ret_opened, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "%s", path);
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, TAPE_BYTES_MAX, &length, err);
    int result = !text                        ? -1
                 : tape_is_tape(text, length) ? tape_read(text, length, &ret_opened->tape, err)
                                              : script_read(text, length, &ret_opened->script, err);
    return result < 0 ? error_add_context(err, "%s", path) : 0;
}

static void close_either(struct opened *opened)
{
    tape_destroy(opened->tape);
    script_destroy(opened->script);
}

/* Text from a tape, which may come from anybody. */
static void print_safely(const char *text, size_t length, enum terminal_escape form)
{
    AUTO_BUF struct buf safe = {0};
    terminal_escape(&safe, text, length, form, true);
    if (safe.length > 0)
        fwrite(safe.data, 1, safe.length, stdout);
}

static void print_line(const char *label, const char *text)
{
    printf("%s", label);
    print_safely(text, strlen(text), TERMINAL_LINE);
    printf("\n");
}

static size_t count_of(const struct tape *tape, enum tape_party party)
{
    size_t count = 0;
    for (size_t i = 0; i < tape->count; i++)
        count += tape->exchanges[i].request.party == party;
    return count;
}

static void summarise(const char *path, const struct opened *opened)
{
    print_safely(path, strlen(path), TERMINAL_LINE);
    const struct tape *tape = opened->tape;
    if (opened->script)
        printf(": a script of %zu steps\n", opened->script->count);
    else if (tape)
        printf(": a tape of %zu model and %zu session requests%s\n", count_of(tape, TAPE_MODEL),
               count_of(tape, TAPE_POOL), tape->final ? "" : "; the recording was cut short");
}

/* ---- check ---- */

struct arguments {
    char **paths;
    int count;
};

static error_t on_check_key(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_ARGS:
        arguments->paths = state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name the tapes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int tape_check_run(int argc, char **argv)
{
    static const struct argp argp = {.parser = on_check_key,
                                     .args_doc = "FILE...",
                                     .doc = "Reads tapes and scripts and says what is wrong."};
    struct arguments arguments = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    enum command_status status = COMMAND_OK;
    for (int i = 0; i < arguments.count; i++) {
        struct opened opened = {0};
        struct error err = {0};
        if (open_either(arguments.paths[i], &opened, &err) == 0)
            summarise(arguments.paths[i], &opened);
        else
            status = command_report_error(&err);
        close_either(&opened);
    }
    return status;
}

/* ---- show ---- */

struct showing {
    const char *path;
    uint64_t number; /* of one exchange, from 1; 0: all in short */
};

static error_t on_show_key(int key, char *argument, struct argp_state *state)
{
    struct showing *showing = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            showing->path = argument;
        else if (state->arg_num > 1 || !text_parse_u64(argument, &showing->number))
            argp_error(state, "after the tape comes the number of one request");
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name the tape");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int64_t duration_ms(const struct reply *reply)
{
    int64_t total = 0;
    for (size_t i = 0; i < reply->piece_count; i++)
        total += reply->pieces[i].delay_ms;
    return total;
}

static void show_short(size_t number, const struct tape_exchange *exchange)
{
    const struct tape_request *request = &exchange->request;
    AUTO_FREE char *label = xasprintf("%4zu %-7s ", number, tape_party_name(request->party));
    AUTO_FREE char *line = xasprintf("%s %s", request->method, request->path);
    print_line(label, line);
    if (!exchange->is_answered)
        printf("             no answer\n");
    else
        printf("             %u, %zu bytes in %zu pieces, %lld ms%s\n", exchange->reply.status,
               exchange->reply.body.length, exchange->reply.piece_count,
               (long long)duration_ms(&exchange->reply), exchange->reply.is_cut ? ", cut" : "");
}

static void show_whole(size_t number, const struct tape_exchange *exchange)
{
    AUTO_FREE char *body =
        exchange->request.body
            ? json_dumps(exchange->request.body, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY)
            : NULL;
    show_short(number, exchange);
    if (body) {
        print_safely(body, strlen(body), TERMINAL_TEXT);
        printf("\n");
    }
    if (exchange->reply.body.length > 0)
        print_safely(exchange->reply.body.data, exchange->reply.body.length, TERMINAL_TEXT);
}

static void show_all(const struct tape *tape)
{
    size_t i;
    json_t *turn;
    json_array_foreach(tape->turns, i, turn)
    {
        const char *text = json_string_value(json_object_get(turn, "text"));
        print_line("user: ", text ? text : "");
    }
    for (size_t number = 1; number <= tape->count; number++)
        show_short(number, &tape->exchanges[number - 1]);
}

int tape_show_run(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = on_show_key,
        .args_doc = "FILE [NUMBER]",
        .doc = "Lists what is on a tape, or shows one request with its answer."};
    struct showing showing = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &showing);
    struct opened opened = {0};
    struct error err = {0};
    enum command_status status = COMMAND_OK;
    if (open_either(showing.path, &opened, &err) < 0) {
        status = command_report_error(&err);
    } else if (showing.number > 0 && (!opened.tape || showing.number > opened.tape->count)) {
        command_warn("%s has no request %llu", showing.path, (unsigned long long)showing.number);
        status = COMMAND_FAILED;
    } else if (showing.number > 0) {
        show_whole(showing.number, &opened.tape->exchanges[showing.number - 1]);
    } else {
        summarise(showing.path, &opened);
        if (opened.tape)
            show_all(opened.tape);
    }
    close_either(&opened);
    return status;
}
