/* command: what the subcommands share: the common options, the connection to the pool, interruption
 * by a signal, and how a failure becomes a message and an exit status.
 */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <sys/types.h>

#include "agent/pool/pool_client.h"

enum command_status {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* the program in the session failed, or something on this machine did */
    COMMAND_USAGE = 2,  /* wrong arguments */
    COMMAND_UNREACHABLE = 3, /* the pool cannot be reached or used */
    COMMAND_REFUSED = 4,     /* the pool said no (4xx) */
};

/* ---- subcommands ---- */

struct command_row {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* returns the exit status */
};

/* Runs the row that the first argument names; --help lists them. The table ends with a row without
 * a name. */
int command_dispatch(const struct command_row *rows, const char *summary, int argc, char **argv);

int exec_run(int argc, char **argv);
int files_run(int argc, char **argv);
int run_run(int argc, char **argv);
int sessions_run(int argc, char **argv);
int tape_run(int argc, char **argv);

/* ---- one run of a subcommand ---- */

struct command {
    /* common options; NULL where absent */
    const char *endpoint;
    const char *api_version;
    bool insecure;

    struct loop *loop;
    struct http_client *http;
    struct identity *identity; /* NULL: a given or local token is enough */
    struct pool_client *pool;

    sigset_t mask_before;
    int signal_fd;
    struct watch signal_watch;
    int caught;     /* the signal that asked us to stop, or 0 */
    bool tidies_up; /* the first signal no longer cancels: what is left is worth waiting for */

    struct pool_call *call; /* under way, or NULL */
    /* The first signal, for commands that do more than one call; NULL: the call is cancelled. */
    void (*on_interrupt)(void *self);
    void *interrupted;
    struct pool_result result;
};

/* Options that every subcommand has: as a child of its own argp, whose child input is the struct
 * command. */
extern const struct argp command_options;

/* Connects what is needed and holds back SIGINT, SIGTERM and SIGHUP: from here on the first cancels
 * the call under way and the second ends the process. Returns COMMAND_OK, or another status with
 * the message printed. Always pair with command_close. */
enum command_status command_open(struct command *command);
/* Ends the process by the signal if one was caught. */
void command_close(struct command *command);

/* Tokens for Azure, of the identity that the environment names; made where there is none yet. */
struct credential command_identity(struct command *command);

/* A handler whose result arrives in command->result, which is emptied now. */
struct pool_handler command_begin(struct command *command);
/* Waits for the call. `started` is what the function that starts it returned, its error being in
 * command->result.failure. COMMAND_OK, or another status with the message printed. */
enum command_status command_end(struct command *command, int started);
/* The same without a message: true when it succeeded. */
bool command_end_quietly(struct command *command, int started);

/* Prints "sandpool: ..." on standard error, with hostile bytes spelled out. */
void command_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The result of command_end_quietly as a message, a hint and a status. */
enum command_status command_report(const struct command *command);
/* Of a failure on this machine. Silent when whoever read the output has gone. */
enum command_status command_report_error(const struct error *error);
