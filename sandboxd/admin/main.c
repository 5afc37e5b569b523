/* sandboxd-admin env|token|ca|policy|doctor ...: executed by sandboxd. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "sandboxd/admin/admin.h"
#include "sandboxd/doctor/doctor.h"

static struct {
    const char *name;
    char title[24]; /* for usage messages */
    int (*run)(int argc, char **argv);
} commands[] = {
    {"env", "sandboxd env", env_run},
    {"token", "sandboxd token", token_run},
    {"ca", "sandboxd ca", ca_run},
    {"policy", "sandboxd policy", policy_run},
    {"doctor", "sandboxd doctor", doctor_run},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        argv[1] = commands[i].title;
        return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "sandboxd-admin is started by sandboxd\n");
    return EX_USAGE;
}
