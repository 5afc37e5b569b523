/* sandpool sessions: sessions as a whole. */
#include "agent/commands/command.h"

struct arguments {
    struct command command;
    char **identifiers;
    int count;
};

static error_t on_key(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->command;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->identifiers = state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name the sessions to remove");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum command_status remove_one(struct command *command, const char *identifier)
{
    struct pool_handler handler = command_begin(command);
    return command_end(command,
                       pool_client_delete_session(command->pool, identifier, &handler,
                                                  &command->call, &command->result.failure));
}

static int remove_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{.argp = &command_options}, {0}};
    static const struct argp argp = {.parser = on_key,
                                     .args_doc = "IDENTIFIER...",
                                     .doc = "Removes sessions with all that is in them.",
                                     .children = children};
    struct arguments arguments = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);

    struct command *command = &arguments.command;
    enum command_status worst = command_open(command);
    for (int i = 0; command->pool && i < arguments.count && !command->caught; i++) {
        enum command_status status = remove_one(command, arguments.identifiers[i]);
        if (status > worst)
            worst = status;
    }
    command_close(command);
    return worst;
}

int sessions_run(int argc, char **argv)
{
    static const struct command_row rows[] = {{"rm", "remove sessions", remove_run}, {0}};
    return command_dispatch(rows, "Works on whole sessions.", argc, argv);
}
