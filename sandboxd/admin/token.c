#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/core/random.h"
#include "base/core/state_path.h"
#include "base/core/text.h"
#include "sandboxd/admin/admin.h"
#include "sandboxd/identity/jwt.h"
#include "sandboxd/identity/subject.h"

struct token_options {
    const char *state_dir;
    const char *resource;
    struct subject subject;
    int64_t lifetime_s;
};

enum { OPTION_CLIENT_ID = 256, OPTION_OID };

static const struct argp_option option_table[] = {
    {"resource", 'r', "URL", 0, "the audience (https://dynamicsessions.io)", 0},
    {"client-id", OPTION_CLIENT_ID, "GUID", 0, "the application (" SUBJECT_CLIENT_ID ")", 0},
    {"oid", OPTION_OID, "GUID", 0, "the principal (" SUBJECT_OBJECT_ID ", or the application)", 0},
    {"lifetime", 'l', "SECONDS", 0, "how long it is valid (3600); 0: expired from the start", 0},
    {"state-dir", 's', "DIR", 0, "of the daemon (as its own default)", 0},
    {0},
};

static int64_t read_lifetime(const char *value, struct argp_state *state)
{
    uint64_t seconds = 0;
    if (!text_parse_u64(value, &seconds) || seconds > TOKEN_LIFETIME_MAX_S)
        argp_error(state, "--lifetime: must be 0 to %d seconds", TOKEN_LIFETIME_MAX_S);
    return (int64_t)seconds;
}

static const char *read_guid(const char *option, const char *value, struct argp_state *state)
{
    if (!guid_is_valid(value))
        argp_error(state, "%s: must be a GUID, not %s", option, value);
    return value;
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct token_options *options = state->input;
    switch (key) {
    case 'r':
        options->resource = value;
        return 0;
    case OPTION_CLIENT_ID:
        options->subject.client_id = read_guid("--client-id", value, state);
        return 0;
    case OPTION_OID:
        options->subject.object_id = read_guid("--oid", value, state);
        return 0;
    case 'l':
        options->lifetime_s = read_lifetime(value, state);
        return 0;
    case 's':
        options->state_dir = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print_token(int state_fd, const struct token_options *options, struct error *err)
{
    AUTO(issuer) struct issuer *issuer = NULL;
    AUTO_BUF struct buf token = {.limit = JWT_BYTES_MAX};
    struct jwt_claims claims;
    int64_t now_s = time(NULL);
    /* One that is expired from the start is so beyond doubt, for trying out what a client does. */
    if (options->lifetime_s == 0)
        now_s -= 2 * JWT_SKEW_S;
    if (subject_fill_claims(&options->subject, options->resource, now_s, options->lifetime_s,
                            &claims, err) < 0 ||
        issuer_open(state_fd, false, &issuer, err) < 0 ||
        jwt_sign(issuer, &claims, &token, err) < 0)
        return -1;
    printf("%s\n", token.data);
    return 0;
}

int token_run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, on_option,
        NULL,         "Prints a bearer token that the daemon accepts with --auth jwt.",
        NULL,         NULL,
        NULL};
    struct token_options options = {
        .state_dir = state_path_default(),
        .resource = "https://dynamicsessions.io",
        .lifetime_s = TOKEN_LIFETIME_DEFAULT_S,
    };
    AUTO_ADMIN_STATE struct admin_state state = {.fd = -1};
    struct error err = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    if (admin_open_state(options.state_dir, &state, &err) < 0 ||
        print_token(state.fd, &options, &err) < 0)
        return admin_fail(&state, &err);
    return EXIT_SUCCESS;
}
