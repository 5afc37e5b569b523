/* policy: looks at policies before a daemon does: sandboxd policy
 * check|show|explain|diff|learn|try. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "sandboxd/admin/admin.h"
#include "sandboxd/admin/policy_command.h"
#include "sandboxd/policy/describe.h"
#include "sandboxd/policy/document.h"
#include "sandboxd/policy/library.h"
#include "sandboxd/policy/names.h"

enum { POLICY_WORDS_MAX = 1024 };

struct policy_options {
    const char *directory; /* the user's own, or NULL */
    const char *policy;    /* explain: only this one; learn: what is in force */
    const char *name;      /* learn: of the new policy */
    bool json;
    const char *words[POLICY_WORDS_MAX + 1]; /* NULL-terminated */
    size_t word_count;
};

enum { OPTION_DIRECTORY = 'd', OPTION_POLICY = 'p', OPTION_JSON = 'j', OPTION_NAME = 'n' };

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct policy_options *options = state->input;
    switch (key) {
    case OPTION_DIRECTORY:
        options->directory = value;
        return 0;
    case OPTION_POLICY:
        options->policy = value;
        return 0;
    case OPTION_NAME:
        options->name = value;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->word_count == POLICY_WORDS_MAX)
            argp_error(state, "more than %d arguments", POLICY_WORDS_MAX);
        options->words[options->word_count++] = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- where policies are ---- */

/* share/ lies beside the libexec/ that this program is in. */
static int open_own(char **ret_path, struct error *err)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return error_from_errno(err, "find this program's own file");
    self[length] = '\0';
    char *path = xasprintf("%s/share/sandpool/policy", dirname(dirname(dirname(self))));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_from_errno(err, "open %s", path);
    *ret_path = path;
    return fd;
}

static int add_directory(struct library *library, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_from_errno(err, "open %s", path) : library_add(library, fd, path, err);
}

/* Those that are installed and the user's own. Descriptors stay open as long as the process. */
static int add_directories(const struct policy_options *options, struct library *library,
                           struct error *err)
{
    AUTO_FREE char *path = NULL;
    int fd = open_own(&path, err);
    if (fd < 0 || library_add(library, fd, path, err) < 0)
        return -1;
    return options->directory ? add_directory(library, options->directory, err) : 0;
}

static int open_library(const struct policy_options *options, struct library *library,
                        struct error *err)
{
    if (add_directories(options, library, err) < 0)
        return -1;
    return library_refuse_twins(library, err);
}

int policy_command_fail(const struct error *err)
{
    fprintf(stderr, "sandboxd: %s\n", err->message);
    return err->code == ERROR_MISSING ? POLICY_USAGE : POLICY_FINDING;
}

/* ---- check ---- */

/* What the file extends may be beside it. */
static int add_neighbours(struct library *library, const char *file, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(file);
    return add_directory(library, dirname(copy), err);
}

/* Read, extended and compiled as the daemon would. */
static int check_file(const struct policy_options *options, const char *file, struct error *err)
{
    AUTO_LIBRARY struct library library = {0};
    AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO_CLOSE int filter_fd = -1;
    struct policy policy;
    if (fd < 0)
        return error_from_errno(err, "open %s", file);
    if (add_neighbours(&library, file, err) < 0 || add_directories(options, &library, err) < 0 ||
        library_load_file(&library, fd, file, &policy, err) < 0)
        return -1;
    int result = policy_compile(&policy, &filter_fd, err);
    if (result == 0)
        printf("%s: good\n", file);
    policy_clear(&policy);
    return result;
}

static int run_check(const struct policy_options *options)
{
    int status = POLICY_GOOD;
    for (size_t i = 0; i < options->word_count; i++) {
        struct error err = {0};
        /* So that a whole directory can be named. */
        if (library_is_schema(options->words[i]))
            continue;
        if (check_file(options, options->words[i], &err) < 0) {
            policy_command_fail(&err);
            status = POLICY_FINDING;
        }
    }
    return status;
}

/* ---- show, explain, diff ---- */

static int print(struct buf *text)
{
    fputs(text->length ? text->data : "", stdout);
    buf_free(text);
    return POLICY_GOOD;
}

static int show(const struct policy_options *options, const struct policy *policy)
{
    struct buf text = {0};
    if (!options->json) {
        describe_policy(policy, &text);
        return print(&text);
    }
    json_t *document = describe_as_json(policy);
    json_dumpf(document, stdout, JSON_INDENT(2));
    json_decref(document);
    puts("");
    return POLICY_GOOD;
}

/* What is done with one policy; the status is its own. */
static int with_policy(const struct policy_options *options, const char *name,
                       int (*act)(const struct policy_options *options,
                                  const struct policy *policy))
{
    AUTO_LIBRARY struct library library = {0};
    struct error err = {0};
    struct policy policy;
    if (open_library(options, &library, &err) < 0 ||
        library_load(&library, name, &policy, &err) < 0)
        return policy_command_fail(&err);
    int status = act(options, &policy);
    policy_clear(&policy);
    return status;
}

static int run_show(const struct policy_options *options)
{
    return with_policy(options, options->words[0], show);
}

static int explain(const struct library *library, const char *name, int number, struct buf *out,
                   struct error *err)
{
    struct policy policy;
    if (library_load(library, name, &policy, err) < 0)
        return -1;
    describe_call(&policy, number, out);
    policy_clear(&policy);
    return 0;
}

static int run_explain(const struct policy_options *options)
{
    AUTO_LIBRARY struct library library = {0};
    AUTO_LIBRARY_NAMES struct library_names names = {0};
    struct error err = {0};
    struct buf text = {0};
    char hint[DOCUMENT_HINT_MAX];
    const char *call = options->words[0];
    int number = filter_call_number(call);
    if (number < 0) {
        document_hint(call, names_next_call, hint);
        fprintf(stderr, "sandboxd: unknown system call \"%s\"%s\n", call, hint);
        return POLICY_USAGE;
    }
    if (open_library(options, &library, &err) < 0 || library_list(&library, &names, &err) < 0)
        return policy_command_fail(&err);
    if (options->policy && explain(&library, options->policy, number, &text, &err) < 0)
        return policy_command_fail(&err);
    for (size_t i = 0; !options->policy && i < names.count; i++) {
        if (explain(&library, names.names[i], number, &text, &err) < 0) {
            buf_free(&text);
            return policy_command_fail(&err);
        }
    }
    return print(&text);
}

static int run_diff(const struct policy_options *options)
{
    AUTO_LIBRARY struct library library = {0};
    struct error err = {0};
    struct buf text = {0};
    struct policy a = {0}, b = {0};
    if (open_library(options, &library, &err) < 0 ||
        library_load(&library, options->words[0], &a, &err) < 0)
        return policy_command_fail(&err);
    if (library_load(&library, options->words[1], &b, &err) < 0) {
        policy_clear(&a);
        return policy_command_fail(&err);
    }
    size_t count = describe_difference(&a, &b, &text);
    print(&text);
    policy_clear(&a);
    policy_clear(&b);
    return count ? POLICY_FINDING : POLICY_GOOD;
}

/* ---- learn, try ---- */

static int learn(const struct policy_options *options, const struct policy *policy)
{
    const char *name = options->name ? options->name : "learned";
    return policy_command_learn(policy, name, options->words);
}

static int run_learn(const struct policy_options *options)
{
    return with_policy(options, options->policy ? options->policy : "python", learn);
}

static int try(const struct policy_options *options, const struct policy *policy)
{
    return policy_command_try(policy, options->words + 1);
}

static int run_try(const struct policy_options *options)
{
    return with_policy(options, options->words[0], try);
}

/* ---- the command line ---- */

static const struct argp_option directory_only[] = {
    {"policy-dir", OPTION_DIRECTORY, "DIR", 0,
     "policies of your own, beside those that are installed", 0},
    {0},
};
static const struct argp_option show_table[] = {
    {"policy-dir", OPTION_DIRECTORY, "DIR", 0,
     "policies of your own, beside those that are installed", 0},
    {"json", OPTION_JSON, NULL, 0, "as a document that extends nothing", 0},
    {0},
};
static const struct argp_option explain_table[] = {
    {"policy-dir", OPTION_DIRECTORY, "DIR", 0,
     "policies of your own, beside those that are installed", 0},
    {"policy", OPTION_POLICY, "NAME", 0, "only what this policy says", 0},
    {0},
};

static const struct argp_option learn_table[] = {
    {"policy-dir", OPTION_DIRECTORY, "DIR", 0,
     "policies of your own, beside those that are installed", 0},
    {"policy", OPTION_POLICY, "NAME", 0, "the policy to compare with (python)", 0},
    {"name", OPTION_NAME, "NAME", 0, "of the new policy (learned)", 0},
    {0},
};

static const struct {
    const char *name;
    size_t least, most; /* arguments */
    int (*run)(const struct policy_options *options);
    struct argp parser;
} commands[] = {
    {"check",
     1,
     POLICY_WORDS_MAX,
     run_check,
     {directory_only, on_option, "FILE...",
      "Reads policies as the daemon would. The status is 0 when all are good, 1 when one is not.",
      NULL, NULL, NULL}},
    {"show",
     1,
     1,
     run_show,
     {show_table, on_option, "NAME", "Prints a policy with all that it has from those it extends.",
      NULL, NULL, NULL}},
    {"explain",
     1,
     1,
     run_explain,
     {explain_table, on_option, "SYSTEM-CALL",
      "Says for each policy whether it allows a system call, when, and why.", NULL, NULL, NULL}},
    {"learn",
     1,
     POLICY_WORDS_MAX,
     run_learn,
     {learn_table, on_option, "-- COMMAND...",
      "Runs a program, outside any sandbox, and prints the smallest policy that lets it pass; on "
      "standard error what the policy in force refuses of it, and has too much. The status is 1 "
      "when something would be refused.",
      NULL, NULL, NULL}},
    {"try",
     2,
     POLICY_WORDS_MAX,
     run_try,
     {directory_only, on_option, "NAME -- COMMAND...",
      "Runs a program, outside any sandbox, and answers its system calls as the policy does. The "
      "status is 1 when it fails or something was refused.",
      NULL, NULL, NULL}},
    {"diff",
     2,
     2,
     run_diff,
     {directory_only, on_option, "NAME NAME",
      "A line for each system call that the two policies answer differently, and each other "
      "setting. The status is 0 when "
      "there is none, else 1.",
      NULL, NULL, NULL}},
};

static const char usage[] = "Usage: sandboxd policy check FILE...\n"
                            "       sandboxd policy show NAME [--json]\n"
                            "       sandboxd policy explain SYSTEM-CALL [--policy NAME]\n"
                            "       sandboxd policy diff NAME NAME\n"
                            "       sandboxd policy learn [--policy NAME] -- COMMAND...\n"
                            "       sandboxd policy try NAME -- COMMAND...\n"
                            "Each takes --policy-dir DIR too, and explains itself with --help.\n";

int policy_run(int argc, char **argv)
{
    struct policy_options options = {0};
    bool wants_help = argc > 1 && strcmp(argv[1], "--help") == 0;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        AUTO_FREE char *title = xasprintf("%s %s", argv[0], commands[i].name);
        argv[1] = title;
        argp_err_exit_status = POLICY_USAGE;
        argp_parse(&commands[i].parser, argc - 1, argv + 1, 0, NULL, &options);
        if (options.word_count >= commands[i].least && options.word_count <= commands[i].most)
            return commands[i].run(&options);
        fprintf(stderr, "Usage: %s %s\n", title, commands[i].parser.args_doc);
        return POLICY_USAGE;
    }
    fputs(usage, wants_help ? stdout : stderr);
    return wants_help ? POLICY_GOOD : POLICY_USAGE;
}
