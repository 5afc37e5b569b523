/* sandpool: the client of session pools. */
#include "agent/commands/command.h"

static const struct command_row commands[] = {
    {"run", "let a model solve a task in a session", run_run},
    {"exec", "run Python in a session", exec_run},
    {"files", "list, send, fetch and remove a session's files", files_run},
    {"sessions", "remove sessions", sessions_run},
    {"tape", "scripts and tapes: a model without a model", tape_run},
    {0},
};

int main(int argc, char **argv)
{
    return command_dispatch(
        commands, "Runs programs in the sessions of a pool, local (sandboxd) or in Azure.", argc,
        argv);
}
