#include "agent/pool/pool_url.h"

#include <ctype.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/identifier.h"
#include "base/core/text.h"
#include "base/http/http_client.h"

enum {
    PATH_BYTES_MAX = 4096, /* as the service's own limit on paths */
    URL_BYTES_MAX = HTTP_URL_BYTES_MAX,
};

/* {path} keeps its slashes; {name} is the last part of the path, the rest goes into the query. */
static const struct operation {
    const char *method;
    const char *path_1; /* generation 1 */
    const char *path_2; /* generation 2 */
    const char *since;  /* an older version is raised to this one, which has the operation */
} operations[] = {
    [POOL_EXECUTE] = {"POST", "code/execute", "executions", NULL},
    [POOL_LIST] = {"GET", "files", "files", NULL},
    [POOL_UPLOAD] = {"POST", "files/upload", "files", NULL},
    [POOL_DOWNLOAD] = {"GET", "files/content/{path}", "files/{name}/content", NULL},
    [POOL_REMOVE] = {"DELETE", "files/{path}", "files/{name}", "2024-08-02-preview"},
    [POOL_DELETE_SESSION] = {"DELETE", "session", "session", "2025-10-02-preview"},
    [POOL_CANCEL] = {"POST", "executions/{path}/cancel", "executions/{path}/cancel", NULL},
};

const char *pool_url_method(enum pool_operation operation)
{
    return operations[operation].method;
}

/* ---- endpoint and version ---- */

int pool_endpoint_read(const char *text, bool allow_insecure, struct pool_endpoint *ret_endpoint,
                       struct error *err)
{
    struct http_url url;
    if (http_url_read(text, &url, err) < 0)
        return error_add_context(err, "pool management endpoint");
    if (url.has_credentials || url.has_fragment)
        return error_set(err, ERROR_INVALID,
                         "pool management endpoint: must not contain a user name, a password or a "
                         "fragment");
    if (!url.is_https && !url.is_loopback && !allow_insecure)
        return error_set(err, ERROR_DENIED,
                         "pool management endpoint: http://%.200s would send the credential "
                         "unencrypted; use https, or --insecure to accept that",
                         url.host);

    size_t length = strcspn(text, "?");
    const char *query = text[length] == '?' && text[length + 1] ? text + length + 1 : NULL;
    while (length > 0 && text[length - 1] == '/')
        length--;
    ret_endpoint->base = xstrndup(text, length);
    ret_endpoint->query = query ? xstrdup(query) : NULL;
    ret_endpoint->is_loopback = url.is_loopback;
    return 0;
}

void pool_endpoint_clear(struct pool_endpoint *endpoint)
{
    free(endpoint->base);
    free(endpoint->query);
    *endpoint = (struct pool_endpoint){0};
}

static bool is_version(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    }
    const char *rest = text + strlen(form);
    return *rest == '\0' || strcmp(rest, "-preview") == 0;
}

/* The date decides; "-preview" does not. */
static bool is_older(const char *version, const char *than)
{
    return strncmp(version, than, strlen("2024-02-02")) < 0;
}

int pool_version_read(const char *text, struct pool_version *ret_version, struct error *err)
{
    if (!is_version(text))
        return error_set(err, ERROR_INVALID, "api-version %.40s: must look like 2025-10-02-preview",
                         text);
    if (is_older(text, "2024-02-02"))
        return error_set(err, ERROR_INVALID,
                         "api-version %s: the oldest that this client speaks is "
                         "2024-02-02-preview",
                         text);
    memcpy(ret_version->text, text, strlen(text) + 1);
    ret_version->generation = is_older(text, "2024-08-03") ? WIRE_GENERATION_1 : WIRE_GENERATION_2;
    return 0;
}

bool pool_version_step_down(struct pool_version *version)
{
    static const char *const known[] = {"2025-02-02-preview", "2024-10-02-preview",
                                        "2024-08-02-preview", "2024-02-02-preview"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], version->text) < 0)
            return pool_version_read(known[i], version, NULL) == 0;
    }
    return false;
}

/* ---- paths ---- */

static int append_part(struct buf *out, const char *part, size_t length, struct error *err)
{
    if ((length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0))
        return error_set(err, ERROR_INVALID, "must not contain \".\" or \"..\" as a part");
    if ((out->length > 0 && !buf_append_text(out, "/")) || !buf_append(out, part, length))
        return error_set(err, ERROR_INVALID, "must be at most %d bytes long", PATH_BYTES_MAX);
    return 0;
}

int pool_path_clean(const char *path, char **ret_path, struct error *err)
{
    static const char data_directory[] = "/mnt/data";
    const char *at = path;
    size_t length = strlen(data_directory);
    if (text_starts_with(at, data_directory) && (at[length] == '/' || at[length] == '\0'))
        at += length;

    AUTO_BUF struct buf clean = {.limit = PATH_BYTES_MAX};
    if (!text_is_utf8(path, strlen(path)))
        return error_set(err, ERROR_INVALID, "the path must be UTF-8");
    while (*at) {
        size_t part = strcspn(at, "/");
        if (part > 0 && append_part(&clean, at, part, err) < 0)
            return error_add_context(err, "path %.200s", path);
        at += part + (at[part] == '/');
    }
    *ret_path = buf_take(&clean);
    return 0;
}

/* ---- URLs ---- */

/* Appends the operation's path with its place-holder filled. */
static bool append_path(struct buf *out, const char *form, const char *path)
{
    const char *hole = strchr(form, '{');
    if (!hole)
        return buf_append_text(out, form);

    const char *rest = strchr(hole, '}') + 1;
    const char *slash = strrchr(path, '/');
    const char *name = text_starts_with(hole, "{name}") && slash ? slash + 1 : path;
    return buf_append(out, form, (size_t)(hole - form)) &&
           text_percent_encode(out, name, strlen(name), "/") && buf_append_text(out, rest);
}

static bool append_parameter(struct buf *out, const char *name, const char *value, size_t length)
{
    bool is_first = !memchr(out->data, '?', out->length);
    return buf_printf(out, "%c%s=", is_first ? '?' : '&', name) &&
           text_percent_encode(out, value, length, NULL);
}

/* Generation 2 says in which directory the file is; generation 1 has it in the path or the file
 * name. */
static bool append_directory(struct buf *out, const struct operation *operation, const char *path)
{
    size_t length = strlen(path);
    if (strstr(operation->path_2, "{name}")) {
        const char *slash = strrchr(path, '/');
        length = slash ? (size_t)(slash - path) : 0;
    }
    return length == 0 || append_parameter(out, "path", path, length);
}

static int check(const struct pool_version *version, enum pool_operation operation,
                 const struct pool_target *target, const char *path, struct error *err)
{
    if (!identifier_is_valid(target->identifier, strlen(target->identifier)))
        return error_set(err, ERROR_INVALID,
                         "session identifier: must be %d to %d printable ASCII characters without "
                         "spaces",
                         IDENTIFIER_LENGTH_MIN, IDENTIFIER_LENGTH_MAX);
    bool needs_name = strchr(operations[operation].path_2, '{') != NULL;
    if (needs_name && !*path)
        return error_set(err, ERROR_INVALID, "a file name is missing");
    if (operation != POOL_LIST)
        return 0;
    if (target->recursive && is_older(version->text, "2025-10-02"))
        return error_set(err, ERROR_INVALID,
                         "a recursive listing needs api-version 2025-10-02-preview or later");
    if (*path && version->generation == WIRE_GENERATION_1)
        return error_set(err, ERROR_INVALID,
                         "listing a directory needs api-version 2024-10-02-preview or later");
    return 0;
}

int pool_url_build(const struct pool_endpoint *endpoint, const struct pool_version *version,
                   enum pool_operation operation, const struct pool_target *target, struct buf *out,
                   struct error *err)
{
    const struct operation *row = &operations[operation];
    const char *path = target->path ? target->path : "";
    if (check(version, operation, target, path, err) < 0)
        return -1;

    bool first = version->generation == WIRE_GENERATION_1;
    const char *since = row->since;
    const char *text = since && is_older(version->text, since) ? since : version->text;

    AUTO_BUF struct buf url = {.limit = URL_BYTES_MAX};
    bool fits =
        buf_printf(&url, "%s/", endpoint->base) &&
        append_path(&url, first ? row->path_1 : row->path_2, path) &&
        (!endpoint->query || buf_printf(&url, "?%s", endpoint->query)) &&
        append_parameter(&url, "api-version", text, strlen(text)) &&
        append_parameter(&url, "identifier", target->identifier, strlen(target->identifier)) &&
        (first || operation == POOL_CANCEL || append_directory(&url, row, path)) &&
        (!target->recursive || append_parameter(&url, "recursive", "true", 4));
    if (!fits || !buf_append(out, url.data, url.length))
        return error_set(err, ERROR_INVALID, "the URL would be longer than %d bytes",
                         URL_BYTES_MAX);
    return 0;
}
