#include "sandboxd/api/config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"
#include "base/json/json.h"

/* Ranges and defaults; docs/operations.md, "Settings", explains each. */
enum {
    SESSIONS_DEFAULT = 10,
    SESSIONS_MAX = 20000, /* four descriptors each must fit the machine's limit as well */
    READY_DEFAULT = 5,
    COOLDOWN_DEFAULT_S = 300,
    COOLDOWN_MIN_S = 300,
    COOLDOWN_MAX_S = 3600,
    EXECUTION_TIMEOUT_DEFAULT_S = 220,
    EXECUTION_TIMEOUT_MAX_S = 220,
    TASKS_DEFAULT = 256,
    TASKS_MIN = 8,
    TASKS_MAX = 16384,
    CPU_PERCENT_DEFAULT = 100,
    CPU_PERCENT_MAX = 12800,
    INODES_DEFAULT = 20000,
    INODES_MIN = 16,
    INODES_MAX = 10000000,
    PATH_TEXT_MAX = 128,
};

static const int64_t mebibyte = 1048576;
static const int64_t memory_default_bytes = 1024 * mebibyte;
static const int64_t memory_min_bytes = 32 * mebibyte;
static const int64_t data_default_bytes = 512 * mebibyte;
static const int64_t data_min_bytes = 1 * mebibyte;
static const int64_t size_max_bytes = 1048576 * mebibyte;

/* "pools[0]" and "sandpool" become "pools[0].sandpool". Every path here is short. */
static void join_path(char ret_path[PATH_TEXT_MAX], const char *path, const char *key)
{
    int n = snprintf(ret_path, PATH_TEXT_MAX, "%s.%s", path, key);
    assert(n > 0 && n < PATH_TEXT_MAX);
}

static struct pool_settings default_settings(void)
{
    return (struct pool_settings){
        .name = "default",
        .max_concurrent_sessions = SESSIONS_DEFAULT,
        .ready_session_instances = READY_DEFAULT,
        .cooldown_ms = (int64_t)COOLDOWN_DEFAULT_S * 1000,
        .execution_timeout_ms = (int64_t)EXECUTION_TIMEOUT_DEFAULT_S * 1000,
        .session_memory_bytes = (uint64_t)memory_default_bytes,
        .data_bytes = (uint64_t)data_default_bytes,
        .data_inodes = INODES_DEFAULT,
        .session_tasks = TASKS_DEFAULT,
        .cpu_percent = CPU_PERCENT_DEFAULT,
    };
}

void config_set_defaults(struct config *ret_config)
{
    *ret_config = (struct config){.pool_count = 1};
    ret_config->pools[0] = default_settings();
    api_settings_set_defaults(&ret_config->api);
}

static int require_word(json_t *object, const char *path, const char *key, const char *word,
                        const char *why, struct error *err)
{
    const char *value = word;
    if (json_get_text_optional(object, path, key, &value, err) < 0)
        return -1;
    if (!text_equal_ignoring_case(value, word))
        return error_set(err, ERROR_INVALID, "%s.%s: is \"%.64s\"; %s", path, key, value, why);
    return 0;
}

static int read_scale(json_t *properties, const char *path, struct pool_settings *settings,
                      struct error *err)
{
    json_t *scale = NULL;
    char here[PATH_TEXT_MAX];
    join_path(here, path, "scaleConfiguration");
    if (json_get_object_optional(properties, path, "scaleConfiguration", &scale, err) < 0)
        return -1;
    if (!scale)
        return 0;

    int64_t most = settings->max_concurrent_sessions;
    if (json_get_integer_optional(scale, here, "maxConcurrentSessions", 1, SESSIONS_MAX, &most,
                                  err) < 0)
        return -1;
    int64_t ready =
        settings->ready_session_instances < most ? settings->ready_session_instances : most;
    if (json_get_integer_optional(scale, here, "readySessionInstances", 0, most, &ready, err) < 0)
        return -1;
    settings->max_concurrent_sessions = (unsigned)most;
    settings->ready_session_instances = (unsigned)ready;
    return 0;
}

static int read_cooldown(json_t *object, const char *path, struct pool_settings *settings,
                         struct error *err)
{
    /* The service's own documents write coolDownPeriodInSeconds in places. */
    json_t *value = json_get_any_case(object, "cooldownPeriodInSeconds");
    if (!value || json_is_null(value))
        return 0;
    AUTO_JSON json_t *same_case = json_pack("{s:O}", "cooldownPeriodInSeconds", value);
    int64_t seconds = 0;
    if (json_get_integer(same_case, path, "cooldownPeriodInSeconds", COOLDOWN_MIN_S, COOLDOWN_MAX_S,
                         &seconds, err) < 0)
        return -1;
    settings->cooldown_ms = seconds * 1000;
    return 0;
}

/* Both forms: executionType with the cooldown beside it, or lifecycleConfiguration around it. */
static int read_lifecycle(json_t *properties, const char *path, struct pool_settings *settings,
                          struct error *err)
{
    static const char only_timed[] = "this daemon has Timed sessions only";
    json_t *dynamic = NULL, *lifecycle = NULL;
    char here[PATH_TEXT_MAX], inner[PATH_TEXT_MAX];
    join_path(here, path, "dynamicPoolConfiguration");
    join_path(inner, here, "lifecycleConfiguration");
    if (json_get_object_optional(properties, path, "dynamicPoolConfiguration", &dynamic, err) < 0)
        return -1;
    if (!dynamic)
        return 0;
    if (require_word(dynamic, here, "executionType", "Timed", only_timed, err) < 0 ||
        read_cooldown(dynamic, here, settings, err) < 0 ||
        json_get_object_optional(dynamic, here, "lifecycleConfiguration", &lifecycle, err) < 0)
        return -1;
    if (!lifecycle)
        return 0;
    if (require_word(lifecycle, inner, "lifecycleType", "Timed", only_timed, err) < 0)
        return -1;
    return read_cooldown(lifecycle, inner, settings, err);
}

static int read_properties(json_t *properties, const char *path, struct pool_settings *settings,
                           struct error *err)
{
    json_t *network = NULL;
    char here[PATH_TEXT_MAX];
    join_path(here, path, "sessionNetworkConfiguration");
    if (require_word(properties, path, "containerType", "PythonLTS",
                     "this daemon serves PythonLTS pools only", err) < 0 ||
        require_word(properties, path, "poolManagementType", "Dynamic",
                     "this daemon has Dynamic pools only", err) < 0 ||
        json_get_object_optional(properties, path, "sessionNetworkConfiguration", &network, err) <
            0)
        return -1;
    if (network && require_word(network, here, "status", "EgressDisabled",
                                "sessions have no network here; use EgressDisabled", err) < 0)
        return -1;
    if (read_scale(properties, path, settings, err) < 0)
        return -1;
    return read_lifecycle(properties, path, settings, err);
}

/* The numbers under `sandpool`. */
struct number {
    const char *key;
    int64_t least;
    int64_t most;
    int64_t value; /* the default, then what the document says */
};

static int read_numbers(json_t *object, const char *path, struct pool_settings *settings,
                        struct error *err)
{
    enum { COOLDOWN, TIMEOUT, MEMORY, DATA, INODES, TASKS, CPU, NUMBERS };
    struct number numbers[NUMBERS] = {
        [COOLDOWN] = {"cooldownSeconds", 1, COOLDOWN_MAX_S, settings->cooldown_ms / 1000},
        [TIMEOUT] = {"executionTimeoutSeconds", 1, EXECUTION_TIMEOUT_MAX_S,
                     settings->execution_timeout_ms / 1000},
        [MEMORY] = {"sessionMemoryBytes", memory_min_bytes, size_max_bytes,
                    (int64_t)settings->session_memory_bytes},
        [DATA] = {"dataBytes", data_min_bytes, size_max_bytes, (int64_t)settings->data_bytes},
        [INODES] = {"dataInodes", INODES_MIN, INODES_MAX, settings->data_inodes},
        [TASKS] = {"sessionTasks", TASKS_MIN, TASKS_MAX, settings->session_tasks},
        [CPU] = {"cpuPercent", 1, CPU_PERCENT_MAX, settings->cpu_percent},
    };
    for (int i = 0; i < NUMBERS; i++) {
        struct number *n = &numbers[i];
        if (json_get_integer_optional(object, path, n->key, n->least, n->most, &n->value, err) < 0)
            return -1;
    }
    settings->cooldown_ms = numbers[COOLDOWN].value * 1000;
    settings->execution_timeout_ms = numbers[TIMEOUT].value * 1000;
    settings->session_memory_bytes = (uint64_t)numbers[MEMORY].value;
    settings->data_bytes = (uint64_t)numbers[DATA].value;
    settings->data_inodes = (uint32_t)numbers[INODES].value;
    settings->session_tasks = (uint32_t)numbers[TASKS].value;
    settings->cpu_percent = (uint32_t)numbers[CPU].value;
    return 0;
}

static int read_sandpool(json_t *object, const char *path, struct pool_settings *settings,
                         struct error *err)
{
    static const char *const known[] = {"image",
                                        "policy",
                                        "start",
                                        "executionTimeoutSeconds",
                                        "cooldownSeconds",
                                        "sessionMemoryBytes",
                                        "sessionTasks",
                                        "cpuPercent",
                                        "dataBytes",
                                        "dataInodes",
                                        NULL};
    if (json_refuse_unknown(object, path, known, err) < 0 ||
        require_word(object, path, "image", "host", "the only session image is host", err) < 0 ||
        require_word(object, path, "policy", "python", "the only policy is python", err) < 0 ||
        require_word(object, path, "start", "fork",
                     "only fork is there yet: interpreters are forked from one prepared process",
                     err) < 0)
        return -1;
    return read_numbers(object, path, settings, err);
}

/* The name is part of URLs, log lines and the session blob. */
static int read_name(json_t *object, const char *path, struct pool_settings *settings,
                     struct error *err)
{
    const char *name = NULL;
    if (json_get_text(object, path, "name", &name, err) < 0)
        return -1;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (length == 0 || name[length] || length > POOL_NAME_MAX)
        return error_set(err, ERROR_INVALID, "%s.name: must be 1 to %d letters, digits and hyphens",
                         path, POOL_NAME_MAX);
    memcpy(settings->name, name, length + 1);
    return 0;
}

static int read_pool(json_t *object, const char *path, struct pool_settings *settings,
                     struct error *err)
{
    json_t *properties = NULL, *sandpool = NULL;
    char here[PATH_TEXT_MAX];
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (read_name(object, path, settings, err) < 0 ||
        json_get_object_optional(object, path, "properties", &properties, err) < 0 ||
        json_get_object_optional(object, path, "sandpool", &sandpool, err) < 0)
        return -1;
    join_path(here, path, "properties");
    if (properties && read_properties(properties, here, settings, err) < 0)
        return -1;
    join_path(here, path, "sandpool");
    return sandpool ? read_sandpool(sandpool, here, settings, err) : 0;
}

static bool has_pool(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->pool_count; i++) {
        if (text_equal_ignoring_case(config->pools[i].name, name))
            return true;
    }
    return false;
}

int config_read(const char *data, size_t length, struct config *ret_config, struct error *err)
{
    static const char *const known[] = {"pools", "api", NULL};
    AUTO_JSON json_t *document = NULL;
    json_t *pools = NULL, *api = NULL;
    if (json_parse(data, length, CONFIG_BYTES_MAX, &document, err) < 0)
        return -1;
    if (!json_is_object(document))
        return error_set(err, ERROR_INVALID, "the document must be a JSON object");
    if (json_refuse_unknown(document, "", known, err) < 0 ||
        json_get_array_optional(document, "", "pools", &pools, err) < 0 ||
        json_get_object_optional(document, "", "api", &api, err) < 0)
        return -1;

    size_t count = json_array_size(pools);
    if (count < 1 || count > CONFIG_POOLS_MAX)
        return error_set(err, ERROR_INVALID, "pools: must hold 1 to %d pools", CONFIG_POOLS_MAX);
    struct config config = {0};
    if (api_settings_read(api, "api", &config.api, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_TEXT_MAX];
        struct pool_settings settings = default_settings();
        snprintf(path, sizeof path, "pools[%zu]", i);
        if (read_pool(json_array_get(pools, i), path, &settings, err) < 0)
            return -1;
        if (has_pool(&config, settings.name))
            return error_set(err, ERROR_INVALID, "%s.name: \"%s\" is taken by an earlier pool",
                             path, settings.name);
        config.pools[config.pool_count++] = settings;
    }
    *ret_config = config;
    return 0;
}
