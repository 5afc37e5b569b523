#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/core/state_path.h"
#include "sandboxd/admin/admin.h"
#include "sandboxd/identity/authority.h"

static const struct argp_option option_table[] = {
    {"state-dir", 's', "DIR", 0, "of the daemon (as its own default)", 0},
    {0},
};

static error_t on_option(int key, char *value, struct argp_state *state)
{
    const char **state_dir = state->input;
    if (key != 's')
        return ARGP_ERR_UNKNOWN;
    *state_dir = value;
    return 0;
}

int ca_run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, on_option,
        NULL,         "Prints where the certificate of the daemon's development authority lies.",
        NULL,         NULL,
        NULL};
    const char *state_dir = state_path_default();
    AUTO_ADMIN_STATE struct admin_state state = {.fd = -1};
    struct error err = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &state_dir);
    if (admin_open_state(state_dir, &state, &err) < 0)
        return admin_fail(&state, &err);
    if (faccessat(state.fd, AUTHORITY_CERTIFICATE_FILE, R_OK, 0) < 0) {
        error_from_errno(&err, "%s", AUTHORITY_CERTIFICATE_FILE);
        return admin_fail(&state, &err);
    }
    printf("%s/%s\n", state.path, AUTHORITY_CERTIFICATE_FILE);
    return EXIT_SUCCESS;
}
