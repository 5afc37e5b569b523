/* sandpool files: the files of a session. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/commands/command.h"
#include "agent/local/save.h"
#include "agent/screen/listing.h"
#include "agent/screen/terminal.h"
#include "base/core/cleanup.h"

struct arguments {
    struct command command;
    const char *session;
    const char *directory; /* put --to */
    const char *output;    /* get --output; "-": standard output */
    bool force;
    bool recursive;
    bool json;
    char **names;
    int count;
};

/* ---- arguments ---- */

enum { KEY_TO = 0x200, KEY_JSON, KEY_FORCE, KEY_RECURSIVE };

#define OPTION_SESSION                                                                             \
    {                                                                                              \
        "session", 's', "ID", 0, "The session (required)", 0                                       \
    }

static const struct argp_option list_options[] = {
    OPTION_SESSION,
    {"recursive", KEY_RECURSIVE, NULL, 0, "Directories below too", 0},
    {"json", KEY_JSON, NULL, 0, "Print the service's answer as it came", 0},
    {0},
};
static const struct argp_option put_options[] = {
    OPTION_SESSION,
    {"to", KEY_TO, "DIR", 0, "Directory in the session (default /mnt/data)", 0},
    {0},
};
static const struct argp_option get_options[] = {
    OPTION_SESSION,
    {"output", 'o', "PATH", 0,
     "Local file or directory, - for standard output (default: the base name)", 0},
    {"force", KEY_FORCE, NULL, 0, "Replace a local file", 0},
    {0},
};
static const struct argp_option remove_options[] = {OPTION_SESSION, {0}};

static void keep_names(struct arguments *arguments, const struct argp_state *state)
{
    arguments->names = state->argv + state->next;
    arguments->count = state->argc - state->next;
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
    case 'o':
        arguments->output = argument;
        return 0;
    case KEY_TO:
        arguments->directory = argument;
        return 0;
    case KEY_JSON:
        arguments->json = true;
        return 0;
    case KEY_FORCE:
        arguments->force = true;
        return 0;
    case KEY_RECURSIVE:
        arguments->recursive = true;
        return 0;
    case ARGP_KEY_ARGS:
        keep_names(arguments, state);
        return 0;
    case ARGP_KEY_END:
        if (!arguments->session)
            argp_error(state, "--session is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One verb: what its arguments look like and what is done with each name. */
struct verb {
    const char *args_doc;
    const char *doc;
    const struct argp_option *options;
    int names_min;
    int names_max; /* 0: any number */
    enum command_status (*run)(struct arguments *arguments, const char *name);
};

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    static const struct argp_child children[] = {{.argp = &command_options}, {0}};
    const struct argp argp = {.options = verb->options,
                              .parser = on_key,
                              .args_doc = verb->args_doc,
                              .doc = verb->doc,
                              .children = children};
    struct arguments arguments = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.count < verb->names_min ||
        (verb->names_max && arguments.count > verb->names_max)) {
        command_warn("%s: the arguments are: %s", argv[0], verb->args_doc);
        return COMMAND_USAGE;
    }

    struct command *command = &arguments.command;
    enum command_status worst = command_open(command);
    int runs =
        arguments.count ? arguments.count : 1; /* ls without a name lists the data directory */
    for (int i = 0; command->pool && i < runs && !command->caught; i++) {
        enum command_status status =
            verb->run(&arguments, i < arguments.count ? arguments.names[i] : "");
        if (status > worst)
            worst = status;
    }
    command_close(command);
    return worst;
}

/* ---- ls ---- */

static enum command_status list(struct arguments *arguments, const char *name)
{
    struct command *command = &arguments->command;
    struct pool_handler handler = command_begin(command);
    enum command_status status = command_end(
        command, pool_client_list(command->pool, arguments->session, name, arguments->recursive,
                                  &handler, &command->call, &command->result.failure));
    if (status != COMMAND_OK)
        return status;

    struct error err = {0};
    AUTO_BUF struct buf table = {0};
    struct terminal output = terminal_of(stdout);
    const struct buf *text = &command->result.answer;
    if (!arguments->json) {
        listing_format(&command->result.files, &table);
        text = &table;
    }
    if (terminal_write(&output, text->data, text->length, &err) < 0 ||
        (arguments->json && terminal_write(&output, "\n", 1, &err) < 0) ||
        terminal_finish(&output, &err) < 0)
        return command_report_error(&err);
    return COMMAND_OK;
}

static int list_run(int argc, char **argv)
{
    static const struct verb verb = {"[DIR]", "Lists the files of a session.", list_options, 0, 1,
                                     list};
    return run_verb(&verb, argc, argv);
}

/* ---- put ---- */

static enum command_status check_upload(const struct pool_result *result, const char *name, int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && (uint64_t)status.st_size == result->file.size_bytes)
        return COMMAND_OK;
    command_warn(
        "%s: the service says that it stored %llu bytes, which is not the size of the file", name,
        (unsigned long long)result->file.size_bytes);
    return COMMAND_FAILED;
}

static enum command_status put(struct arguments *arguments, const char *path)
{
    struct command *command = &arguments->command;
    struct error err = {0};
    const char *name = save_base_name(path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO must not hold us */
    if (fd < 0) {
        error_from_errno(&err, "open %.200s", path);
        return command_report_error(&err);
    }
    if (!name) {
        command_warn("%s does not name a file", path);
        return COMMAND_USAGE;
    }
    struct pool_handler handler = command_begin(command);
    int started = pool_client_upload(command->pool, arguments->session, arguments->directory, name,
                                     fd, &handler, &command->call, &command->result.failure);
    if (started < 0)
        error_add_context(&command->result.failure, "send %.200s", path);
    enum command_status status = command_end(command, started);
    return status == COMMAND_OK ? check_upload(&command->result, path, fd) : status;
}

static int put_run(int argc, char **argv)
{
    static const struct verb verb = {"FILE...", "Sends files to a session.", put_options, 1, 0,
                                     put};
    return run_verb(&verb, argc, argv);
}

/* ---- get ---- */

/* Where the bytes of a download go. */
struct destination {
    bool is_output;
    struct terminal output;
    struct save save;
    bool failed; /* on this machine, not at the service */
};

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    struct destination *destination = self;
    int result = destination->is_output ? terminal_write(&destination->output, data, length, err)
                                        : save_write(&destination->save, data, length, err);
    destination->failed = result < 0;
    return result;
}

/* The local path: --output, inside it when it is a directory, else the base name right here. */
static char *choose_path(const struct arguments *arguments, const char *name, struct error *err)
{
    struct stat status;
    const char *output = arguments->output;
    const char *base = save_base_name(name);
    bool is_directory = output && stat(output, &status) == 0 && S_ISDIR(status.st_mode);
    if (output && !is_directory)
        return xstrdup(output);
    if (!base) {
        error_set(err, ERROR_INVALID, "\"%.200s\" does not name a file", name);
        return NULL;
    }
    return is_directory ? xasprintf("%s/%s", output, base) : xstrdup(base);
}

static int open_destination(const struct arguments *arguments, const char *name,
                            struct destination *destination, struct error *err)
{
    if (arguments->output && strcmp(arguments->output, "-") == 0) {
        destination->is_output = true;
        destination->output = terminal_of(stdout);
        return 0;
    }
    AUTO_FREE char *path = choose_path(arguments, name, err);
    if (!path)
        return -1;
    if (save_begin(&destination->save, path, arguments->force, err) == 0)
        return 0;
    if (err->code == ERROR_CONFLICT)
        error_set(err, ERROR_CONFLICT, "%.200s exists already; --force replaces it", path);
    return -1;
}

static enum command_status finish_destination(struct destination *destination)
{
    struct error err = {0};
    int result = destination->is_output ? terminal_finish(&destination->output, &err)
                                        : save_commit(&destination->save, &err);
    return result < 0 ? command_report_error(&err) : COMMAND_OK;
}

static enum command_status get(struct arguments *arguments, const char *name)
{
    struct command *command = &arguments->command;
    struct destination destination = {0};
    struct error err = {0};
    if (open_destination(arguments, name, &destination, &err) < 0)
        return command_report_error(&err);

    struct pool_handler handler = command_begin(command);
    struct pool_sink sink = {.self = &destination, .on_data = on_data};
    int started = pool_client_download(command->pool, arguments->session, name, &sink, &handler,
                                       &command->call, &command->result.failure);
    if (command_end_quietly(command, started))
        return finish_destination(&destination);
    save_abort(&destination.save);
    return destination.failed ? command_report_error(&command->result.failure)
                              : command_report(command);
}

static int get_run(int argc, char **argv)
{
    static const struct verb verb = {
        "NAME",      "Fetches a file of a session. A local file is replaced only with --force.",
        get_options, 1,
        1,           get};
    return run_verb(&verb, argc, argv);
}

/* ---- rm ---- */

static enum command_status remove_one(struct arguments *arguments, const char *name)
{
    struct command *command = &arguments->command;
    struct pool_handler handler = command_begin(command);
    return command_end(command,
                       pool_client_remove_file(command->pool, arguments->session, name, &handler,
                                               &command->call, &command->result.failure));
}

static int remove_run(int argc, char **argv)
{
    static const struct verb verb = {"NAME...", "Removes files of a session.", remove_options, 1, 0,
                                     remove_one};
    return run_verb(&verb, argc, argv);
}

int files_run(int argc, char **argv)
{
    static const struct command_row rows[] = {{"ls", "list them", list_run},
                                              {"put", "send local files", put_run},
                                              {"get", "fetch one", get_run},
                                              {"rm", "remove some", remove_run},
                                              {0}};
    return command_dispatch(rows, "Works on the files of a session.", argc, argv);
}
