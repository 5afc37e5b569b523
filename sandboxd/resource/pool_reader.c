#include "sandboxd/resource/pool_reader.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/resource/egress_reader.h"
#include "sandboxd/resource/kept.h"
#include "sandboxd/resource/policy_names.h"

/* Ranges; docs/operations.md, "Settings", explains each. */
enum {
    COOLDOWN_MIN_S = 300,
    COOLDOWN_MAX_S = 3600,
    EXECUTION_TIMEOUT_MAX_S = 220,
    TASKS_MIN = 8,
    TASKS_MAX = 16384,
    CPU_PERCENT_MAX = 12800,
    INODES_MIN = 16,
    INODES_MAX = 10000000,
};

static const int64_t mebibyte = 1048576;
static const int64_t memory_min_bytes = 32 * mebibyte;
static const int64_t data_min_bytes = 1 * mebibyte;
static const int64_t size_max_bytes = 1048576 * mebibyte;

/* The one word that is served. */
static int require_word(json_t *object, const char *path, const char *key, const char *word,
                        const char *why, struct error *err)
{
    const char *value = word;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, key);
    if (json_get_text_optional(object, path, key, &value, err) < 0)
        return -1;
    if (!text_equal_ignoring_case(value, word))
        return error_set(err, ERROR_DENIED, "%s: is \"%.64s\"; %s", here, value, why);
    return 0;
}

/* ---- properties ---- */

static int read_scale(json_t *properties, const char *path, struct pool_resource *resource,
                      struct error *err)
{
    struct pool_settings *settings = &resource->settings;
    json_t *scale = NULL;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "scaleConfiguration");
    if (json_get_object_optional(properties, path, "scaleConfiguration", &scale, err) < 0)
        return -1;

    int64_t most = settings->max_concurrent_sessions;
    if (json_get_integer_optional(scale, here, "maxConcurrentSessions", 1, RESOURCE_SESSIONS_MAX,
                                  &most, err) < 0 ||
        json_get_integer_optional(scale, here, "readySessionInstances", 0, RESOURCE_SESSIONS_MAX,
                                  &resource->ready, err) < 0)
        return -1;
    if (resource->ready > most)
        return error_set(
            err, ERROR_LIMIT,
            "%s.readySessionInstances: is %lld, more than maxConcurrentSessions, which "
            "is %lld",
            here, (long long)resource->ready, (long long)most);
    int64_t ready = resource->ready >= 0 ? resource->ready : settings->ready_session_instances;
    settings->max_concurrent_sessions = (unsigned)most;
    settings->ready_session_instances = (unsigned)(ready < most ? ready : most);
    return 0;
}

static int read_cooldown(json_t *object, const char *path, struct pool_resource *resource,
                         struct error *err)
{
    /* The service's own documents write coolDownPeriodInSeconds in places. */
    json_t *value = json_get_any_case(object, "cooldownPeriodInSeconds");
    if (!value || json_is_null(value))
        return 0;
    AUTO_JSON json_t *same_case = json_pack("{s:O}", "cooldownPeriodInSeconds", value);
    return json_get_integer(same_case, path, "cooldownPeriodInSeconds", COOLDOWN_MIN_S,
                            COOLDOWN_MAX_S, &resource->cooldown_s, err);
}

/* Both forms: executionType with the cooldown beside it, or lifecycleConfiguration around it. */
static int read_lifecycle(json_t *properties, const char *path, struct pool_resource *resource,
                          struct error *err)
{
    static const char only_timed[] = "this daemon has Timed sessions only";
    json_t *dynamic = NULL, *lifecycle = NULL;
    char here[JSON_PATH_TEXT_MAX], inner[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "dynamicPoolConfiguration");
    json_join_path(inner, here, "lifecycleConfiguration");
    if (json_get_object_optional(properties, path, "dynamicPoolConfiguration", &dynamic, err) < 0)
        return -1;
    if (require_word(dynamic, here, "executionType", "Timed", only_timed, err) < 0 ||
        read_cooldown(dynamic, here, resource, err) < 0 ||
        json_get_object_optional(dynamic, here, "lifecycleConfiguration", &lifecycle, err) < 0 ||
        require_word(lifecycle, inner, "lifecycleType", "Timed", only_timed, err) < 0)
        return -1;
    return read_cooldown(lifecycle, inner, resource, err);
}

static int read_mcp(json_t *properties, const char *path, struct pool_resource *resource,
                    struct error *err)
{
    json_t *mcp = NULL;
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "mcpServerSettings");
    if (json_get_object_optional(properties, path, "mcpServerSettings", &mcp, err) < 0)
        return -1;
    /* SDKs disagree on the capitals of "MCP". */
    json_t *value = json_get_any_case(mcp, "isMCPServerEnabled");
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return error_set(err, ERROR_INVALID, "%s.isMCPServerEnabled: must be true or false", here);
    resource->mcp_enabled = json_is_true(value);
    return 0;
}

static int refuse_container(json_t *properties, const char *path, struct error *err)
{
    json_t *template = NULL;
    if (json_get_object_optional(properties, path, "customContainerTemplate", &template, err) < 0)
        return -1;
    if (template)
        return error_set(err, ERROR_DENIED,
                         "%s.customContainerTemplate: this daemon serves PythonLTS pools only, "
                         "which have none",
                         path);
    return 0;
}

static int read_properties(json_t *properties, const char *path, struct pool_resource *resource,
                           struct error *err)
{
    if (require_word(properties, path, "containerType", "PythonLTS",
                     "this daemon serves PythonLTS pools only", err) < 0 ||
        require_word(properties, path, "poolManagementType", "Dynamic",
                     "this daemon has Dynamic pools only", err) < 0 ||
        refuse_container(properties, path, err) < 0 ||
        egress_read_status(properties, path, &resource->settings.egress, err) < 0 ||
        read_scale(properties, path, resource, err) < 0 ||
        read_lifecycle(properties, path, resource, err) < 0 ||
        read_mcp(properties, path, resource, err) < 0 ||
        kept_read_secrets(properties, path, &resource->secrets, err) < 0)
        return -1;
    return kept_read_managed_identities(properties, path, &resource->managed_identities, err);
}

/* ---- sandpool ---- */

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

static int read_policy(json_t *object, const char *path, struct pool_settings *settings,
                       struct error *err)
{
    const char *name = NULL;
    struct error why = {0};
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "policy");
    if (json_get_text_optional(object, path, "policy", &name, err) < 0)
        return -1;
    if (name && policy_names_find(name, &settings->policy, &why) < 0)
        return error_set(err, ERROR_DENIED, "%s: %s", here, why.message);
    return 0;
}

static int read_start(json_t *object, const char *path, struct pool_settings *settings,
                      struct error *err)
{
    const char *start = "fork";
    if (json_get_text_optional(object, path, "start", &start, err) < 0 ||
        json_get_boolean_optional(object, path, "preload", &settings->preload, err) < 0)
        return -1;
    settings->start_exec = text_equal_ignoring_case(start, "exec");
    if (!settings->start_exec && !text_equal_ignoring_case(start, "fork"))
        return error_set(err, ERROR_DENIED,
                         "%s.start: is \"%.64s\"; choose fork (interpreters are forked from one "
                         "prepared process) or exec (each from a process of its own)",
                         path, start);
    if (!settings->start_exec && !settings->preload)
        return error_set(err, ERROR_DENIED,
                         "%s.preload: false needs \"start\": \"exec\"; forks all come from the one "
                         "prepared process",
                         path);
    return 0;
}

static int read_sandpool(json_t *object, const char *path, struct pool_resource *resource,
                         struct error *err)
{
    static const char *const known[] = {"image",
                                        "policy",
                                        "start",
                                        "preload",
                                        "executionTimeoutSeconds",
                                        "cooldownSeconds",
                                        "sessionMemoryBytes",
                                        "sessionTasks",
                                        "cpuPercent",
                                        "audit",
                                        "dataBytes",
                                        "dataInodes",
                                        "egressAllow",
                                        "egressDns",
                                        NULL};
    resource->settings.cooldown_ms = resource->cooldown_s * 1000;
    resource->settings.egress.names = resource->settings.egress.enabled;
    if (!object)
        return 0;
    if (json_refuse_unknown(object, path, known, err) < 0 ||
        require_word(object, path, "image", "host", "the only session image is host", err) < 0 ||
        read_policy(object, path, &resource->settings, err) < 0 ||
        read_start(object, path, &resource->settings, err) < 0 ||
        json_get_boolean_optional(object, path, "audit", &resource->settings.audit, err) < 0 ||
        read_numbers(object, path, &resource->settings, err) < 0 ||
        egress_read_settings(object, path, &resource->settings.egress, err) < 0)
        return -1;
    resource->sandpool = kept_text(object);
    return 0;
}

/* ---- whose document it is ---- */

static int read_id(json_t *document, const char *path, const struct resource_id *known,
                   struct resource_id *ret_id, struct error *err)
{
    const char *text = NULL, *name = NULL;
    struct error why = {0};
    struct resource_id id = known ? *known : (struct resource_id){0};
    char here[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "id");
    if (json_get_text_optional(document, path, "id", &text, err) < 0 ||
        json_get_text_optional(document, path, "name", &name, err) < 0)
        return -1;
    if (text && !known && resource_id_read(text, &id, &why) < 0)
        return error_set(err, ERROR_INVALID, "%s: %s", here, why.message);
    json_join_path(here, path, "name");
    if (!known && !text) {
        if (json_get_text(document, path, "name", &name, err) < 0)
            return -1;
        if (resource_id_set(NULL, NULL, name, &id, &why) < 0)
            return error_set(err, ERROR_INVALID, "%s%s%s", path, *path ? "." : "", why.message);
    }
    if (name && !text_equal_ignoring_case(name, id.name))
        return error_set(err, ERROR_INVALID, "%s: is \"%.64s\", but the %s names \"%s\"", here,
                         name, known ? "path" : "id", id.name);
    *ret_id = id;
    return 0;
}

static int check_type(json_t *document, const char *path, struct error *err)
{
    return require_word(document, path, "type", "Microsoft.App/sessionPools",
                        "a pool is a Microsoft.App/sessionPools", err);
}

static int read_location(json_t *document, const char *path, struct pool_resource *resource,
                         struct error *err)
{
    const char *location = NULL;
    if (json_get_text_optional(document, path, "location", &location, err) < 0)
        return -1;
    if (location)
        resource->location = xstrdup(location);
    return 0;
}

static int read_members(json_t *document, const char *path, struct pool_resource *resource,
                        struct error *err)
{
    json_t *properties = NULL, *beside = NULL, *inside = NULL;
    char here[JSON_PATH_TEXT_MAX], place[JSON_PATH_TEXT_MAX];
    json_join_path(here, path, "properties");
    if (read_location(document, path, resource, err) < 0 ||
        kept_read_tags(document, path, &resource->tags, err) < 0 ||
        kept_read_identity(document, path, &resource->identity, err) < 0 ||
        json_get_object_optional(document, path, "properties", &properties, err) < 0 ||
        json_get_object_optional(document, path, "sandpool", &beside, err) < 0 ||
        json_get_object_optional(properties, here, "sandpool", &inside, err) < 0 ||
        read_properties(properties, here, resource, err) < 0)
        return -1;
    json_join_path(place, inside ? here : path, "sandpool");
    if (inside && beside)
        return error_set(err, ERROR_INVALID, "%s: is there twice, in properties and beside them",
                         place);
    return read_sandpool(inside ? inside : beside, place, resource, err);
}

int pool_read(json_t *document, const char *path, const struct resource_id *known,
              struct pool_resource *ret_resource, struct error *err)
{
    struct resource_id id;
    if (!json_is_object(document))
        return error_set(err, ERROR_INVALID, "%s: must be a JSON object",
                         *path ? path : "the body");
    if (check_type(document, path, err) < 0 || read_id(document, path, known, &id, err) < 0)
        return -1;
    AUTO_POOL_RESOURCE struct pool_resource resource = pool_resource_default(&id);
    if (read_members(document, path, &resource, err) < 0)
        return -1;
    *ret_resource = pool_resource_take(&resource);
    return 0;
}

int pool_read_text(const char *data, size_t length, const struct resource_id *known,
                   struct pool_resource *ret_resource, struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    if (json_parse(data, length, POOL_DOCUMENT_BYTES_MAX, &document, err) < 0)
        return -1;
    return pool_read(document, "", known, ret_resource, err);
}
