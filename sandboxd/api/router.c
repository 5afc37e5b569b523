#include "sandboxd/api/router.h"

#include <string.h>
#include <strings.h>

#include "base/core/text.h"
#include "sandboxd/api/arm.h"
#include "sandboxd/api/arm_roles.h"
#include "sandboxd/api/executions.h"
#include "sandboxd/api/files.h"
#include "sandboxd/api/mcp.h"
#include "sandboxd/api/metadata.h"
#include "sandboxd/api/sessions.h"
#include "sandboxd/api/tokens.h"
#include "sandboxd/api/uploads.h"

#define GEN_0 WIRE_GENERATION_0
#define GEN_1 WIRE_GENERATION_1
#define GEN_2 WIRE_GENERATION_2

#define ANY      API_2024_02_02
#define FEB_2025 API_2025_02_02

#define ARM_SUBSCRIPTION "subscriptions/{}"
#define ARM_GROUP        ARM_SUBSCRIPTION "/resourceGroups/{}"
#define ARM_PROVIDER     "/providers/Microsoft.App"
#define ARM_POOL         ARM_GROUP ARM_PROVIDER "/sessionPools/{}"
#define ARM_ROLES        "subscriptions/{name}/providers/Microsoft.Authorization/roleAssignments"

/* clang-format off */
static const struct route routes[] = {
    /* method  pattern                                        generation        since     plane         body               handler */
    {"POST",   "code/execute",                                GEN_1,            ANY,      PLANE_DATA,   ROUTE_BODY_WHOLE,  execution_create},
    {"POST",   "executions",                                  GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_WHOLE,  execution_create},
    {"GET",    "executions/{name}",                           GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   execution_show},
    {"POST",   "executions/{name}/cancel",                    GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   execution_cancel},
    {"POST",   "files/upload",                                GEN_1,            ANY,      PLANE_DATA,   ROUTE_BODY_STREAM, upload_create},
    {"POST",   "files",                                       GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_STREAM, upload_create},
    {"GET",    "files",                                       ROUTE_BY_VERSION, ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_list},
    {"GET",    "files/content/{name}/content",                GEN_1,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_download},
    {"GET",    "files/content/{name}",                        GEN_1,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_download},
    {"GET",    "files/{name}/content",                        GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_download},
    {"GET",    "files/{name}",                                ROUTE_BY_VERSION, ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_show},
    {"DELETE", "files/{name}",                                ROUTE_BY_VERSION, ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   file_delete},
    {"GET",    "session",                                     GEN_2,            FEB_2025, PLANE_DATA,   ROUTE_BODY_NONE,   session_show},
    {"DELETE", "session",                                     GEN_2,            ANY,      PLANE_DATA,   ROUTE_BODY_NONE,   session_delete},
    {"GET",    "listSessions",                                GEN_2,            FEB_2025, PLANE_DATA,   ROUTE_BODY_NONE,   session_list},
    {"POST",   ".management/getSession",                      GEN_2,            FEB_2025, PLANE_DATA,   ROUTE_BODY_NONE,   session_show},
    {"POST",   ".management/listSessions",                    GEN_2,            FEB_2025, PLANE_LEGACY, ROUTE_BODY_NONE,   session_list_managed},
    {"POST",   ".management/stopSession",                     GEN_2,            FEB_2025, PLANE_DATA,   ROUTE_BODY_NONE,   session_stop},
    {"GET",    "metadata",                                    GEN_2,            FEB_2025, PLANE_DATA,   ROUTE_BODY_NONE,   metadata_show},
    {"POST",   "python/execute",                              GEN_0,            ANY,      PLANE_LEGACY, ROUTE_BODY_WHOLE,  execution_create},
    {"POST",   "python/uploadFile",                           GEN_0,            ANY,      PLANE_LEGACY, ROUTE_BODY_STREAM, upload_create},
    {"GET",    "python/files",                                GEN_0,            ANY,      PLANE_LEGACY, ROUTE_BODY_NONE,   file_list},
    {"GET",    "python/downloadFile",                         GEN_0,            ANY,      PLANE_LEGACY, ROUTE_BODY_NONE,   file_download},
    {"POST",   "mcp",                                         ROUTE_BY_VERSION, ANY,      PLANE_MCP,    ROUTE_BODY_WHOLE,  mcp_handle},
    {"GET",    "mcp",                                         ROUTE_BY_VERSION, ANY,      PLANE_MCP,    ROUTE_BODY_NONE,   mcp_refuse_method},
    {"DELETE", "mcp",                                         ROUTE_BY_VERSION, ANY,      PLANE_MCP,    ROUTE_BODY_NONE,   mcp_refuse_method},
    {"PUT",    ARM_POOL,                                      ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_WHOLE,  arm_pool_put},
    {"PATCH",  ARM_POOL,                                      ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_WHOLE,  arm_pool_patch},
    {"GET",    ARM_POOL,                                      ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_pool_show},
    {"DELETE", ARM_POOL,                                      ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_pool_delete},
    {"POST",   ARM_POOL "/fetchMCPServerCredentials",         ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_mcp_key_show},
    {"POST",   ARM_POOL "/regenerateCredentials",             ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_mcp_key_renew},
    {"GET",    ARM_GROUP ARM_PROVIDER "/sessionPools",        ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_pool_list},
    {"GET",    ARM_SUBSCRIPTION ARM_PROVIDER "/sessionPools", ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_pool_list},
    {"GET",    ARM_SUBSCRIPTION ARM_PROVIDER,                 ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_provider_show},
    {"GET",    ARM_SUBSCRIPTION,                              ROUTE_BY_VERSION, ANY,      PLANE_TENANT, ROUTE_BODY_NONE,   arm_subscription_show},
    {"GET",    "subscriptions",                               ROUTE_BY_VERSION, ANY,      PLANE_TENANT, ROUTE_BODY_NONE,   arm_subscription_list},
    {"PUT",    ARM_ROLES "/{}",                               ROUTE_BY_VERSION, ANY,      PLANE_ACCESS, ROUTE_BODY_WHOLE,  arm_role_put},
    {"GET",    ARM_ROLES "/{}",                               ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_role_show},
    {"DELETE", ARM_ROLES "/{}",                               ROUTE_BY_VERSION, ANY,      PLANE_ACCESS, ROUTE_BODY_NONE,   arm_role_delete},
    {"GET",    ARM_ROLES,                                     ROUTE_BY_VERSION, ANY,      PLANE_ARM,    ROUTE_BODY_NONE,   arm_role_list},
    {"GET",    "health",                                      ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   health_show},
    {"GET",    "msi/token",                                   ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   token_for_identity},
    {"GET",    "metadata/identity/oauth2/token",              ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   token_for_machine},
    {"POST",   "{}/oauth2/v2.0/token",                        ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_WHOLE,  token_for_client},
    {"GET",    "{}/v2.0/.well-known/openid-configuration",    ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   authority_show},
    {"GET",    "{}/.well-known/openid-configuration",         ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   authority_show},
    {"GET",    "{}/discovery/v2.0/keys",                      ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   authority_show_keys},
    {"GET",    "common/discovery/instance",                   ROUTE_BY_VERSION, ANY,      PLANE_OPEN,   ROUTE_BODY_NONE,   authority_show_instance},
};
/* clang-format on */

static bool segment_is(const struct http_target *target, size_t index, const char *word)
{
    return index < target->segment_count && text_equal_ignoring_case(target->segments[index], word);
}

/* Reads the pool's name and returns where the operation starts. */
static size_t skip_pool(const struct http_target *target, struct route_match *match)
{
    size_t at = 0;
    if (target->segment_count >= 6 && segment_is(target, 0, "subscriptions") &&
        segment_is(target, 2, "resourceGroups") && segment_is(target, 4, "sessionPools")) {
        match->subscription = target->segments[1];
        match->group = target->segments[3];
        match->pool = target->segments[5];
        at = 6;
    } else if (target->segment_count >= 2 && segment_is(target, 0, "pools")) {
        match->pool = target->segments[1];
        at = 2;
    }
    if (segment_is(target, at, "identifier") && at + 1 < target->segment_count)
        at += 2;
    return at;
}

static size_t count_words(const char *pattern)
{
    size_t count = 1;
    for (const char *p = pattern; *p; p++)
        count += *p == '/';
    return count;
}

static bool word_is(const struct http_target *target, size_t index, const char *word, size_t length)
{
    const char *segment = target->segments[index];
    return strlen(segment) == length && strncasecmp(segment, word, length) == 0;
}

/* "{name}" takes as many segments as the other words of the pattern leave. */
static bool matches(const char *pattern, const struct http_target *target, size_t at,
                    struct route_match *match)
{
    size_t words = count_words(pattern);
    size_t left = target->segment_count - at;
    size_t taken = 0;
    bool has_name = strstr(pattern, "{name}") != NULL;
    if (has_name ? left < words : left != words)
        return false;

    for (const char *word = pattern; *word;) {
        size_t length = strcspn(word, "/");
        if (strncmp(word, "{}", length) == 0) {
            match->words[taken++] = target->segments[at++];
        } else if (*word == '{') {
            match->name_first = at;
            match->name_count = left - words + 1;
            at += match->name_count;
        } else if (!word_is(target, at++, word, length)) {
            return false;
        }
        word += length;
        word += *word == '/';
    }
    return true;
}

enum route_outcome router_find(const char *method, const struct http_target *target,
                               struct route_match *ret_match)
{
    struct route_match named = {0};
    size_t at = skip_pool(target, &named);
    bool known_path = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct route_match match = named;
        match.route = &routes[i];
        /* A resource's path is whole by itself. */
        if (route_is_arm(&routes[i]) && at > 0)
            continue;
        if (!matches(routes[i].pattern, target, at, &match))
            continue;
        known_path = true;
        if (strcmp(routes[i].method, method) == 0) {
            *ret_match = match;
            return ROUTE_FOUND;
        }
    }
    return known_path ? ROUTE_WRONG_METHOD : ROUTE_UNKNOWN_PATH;
}
