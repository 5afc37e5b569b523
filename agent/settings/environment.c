#include "agent/settings/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/settings/env_file.h"
#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/core/variable.h"
#include "base/json/json.h"

/* What azd writes for the application that started this (AZURE_..., POOL_...), what Azure's and
 * OpenAI's libraries read, and our own. */
const char *const environment_names[] = {
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME",
    "AZURE_OPENAI_COMPLETION_MODEL",
    "AZURE_OPENAI_DEPLOYMENT_NAME",
    "AZURE_OPENAI_VERSION",
    "AZURE_OPENAI_API_KEY",
    "OPENAI_API_VERSION",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "POOL_MANAGEMENT_ENDPOINT",
    "AZURE_DYNAMIC_SESSIONS_POOL_MANAGEMENT_ENDPOINT",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "SANDPOOL_TOKEN",
    "SANDPOOL_MODEL",
    NULL,
};

static void set(void *self, const char *name, const char *value)
{
    (void)self;
    for (const char *const *known = environment_names; *known; known++) {
        if (strcmp(*known, name) == 0)
            setenv(name, value, 0);
    }
}

/* NULL without an error where there is no such file. */
static char *read_file(const char *path, size_t *ret_length, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return NULL;
    char *text = fd < 0 ? NULL : text_read_all(fd, ENV_FILE_BYTES_MAX, ret_length, err);
    if (fd < 0)
        error_from_errno(err, "open %.200s", path);
    else if (!text)
        error_add_context(err, "%.200s", path);
    return text;
}

static int load(const char *path, struct error *err)
{
    size_t length = 0;
    struct error failure = {0};
    AUTO_FREE char *text = read_file(path, &length, &failure);
    if (text && env_file_read(text, length, set, NULL, &failure) < 0)
        error_add_context(&failure, "%.200s", path);
    if (text)
        explicit_bzero(text, length);
    if (failure.code == ERROR_NONE)
        return 0;
    if (err)
        *err = failure;
    return -1;
}

/* azd's names are letters, digits, hyphens, dots and parentheses: never a path. */
static bool is_environment_name(const char *name)
{
    return *name && *name != '.' && strlen(name) < NAME_MAX && !strchr(name, '/');
}

/* {"version": 1, "defaultEnvironment": "dev"} */
static int find_default(char ret_name[NAME_MAX], struct error *err)
{
    static const char path[] = ".azure/config.json";
    size_t length = 0;
    struct error failure = {0};
    AUTO_FREE char *text = read_file(path, &length, &failure);
    AUTO_JSON json_t *config = NULL;
    const char *name = "";
    if (text && (json_parse(text, length, ENV_FILE_BYTES_MAX, &config, &failure) < 0 ||
                 json_get_text_optional(config, "", "defaultEnvironment", &name, &failure) < 0))
        error_add_context(&failure, "%s", path);
    snprintf(ret_name, NAME_MAX, "%s", name);
    if (failure.code == ERROR_NONE)
        return 0;
    if (err)
        *err = failure;
    return -1;
}

static int load_azd(struct error *err)
{
    char name[NAME_MAX], path[PATH_MAX];
    const char *chosen = variable_get("AZURE_ENV_NAME");
    if (chosen)
        snprintf(name, sizeof name, "%s", chosen);
    else if (find_default(name, err) < 0)
        return -1;
    if (!is_environment_name(name))
        return 0;
    snprintf(path, sizeof path, ".azure/%s/.env", name);
    return load(path, err);
}

int environment_load(struct error *err)
{
    return load(".env", err) < 0 ? -1 : load_azd(err);
}
