/* env: everything that an application needs to meet this daemon instead of Azure. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/state_path.h"
#include "base/core/text.h"
#include "sandboxd/admin/admin.h"
#include "sandboxd/admin/bundle.h"
#include "sandboxd/admin/shell_syntax.h"
#include "sandboxd/identity/authority.h"
#include "sandboxd/identity/daemon_file.h"
#include "sandboxd/identity/identity.h"
#include "sandboxd/resource/mcp_keys.h"
#include "sandboxd/resource/resource_id.h"
#include "sandboxd/resource/resource_store.h"

static const char system_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

enum { ENV_BYTES_MAX = 64 * 1024, ORIGIN_TEXT_MAX = DAEMON_TEXT_MAX + 16 };

struct env_options {
    const char *state_dir;
    const char *pool; /* name or resource id; NULL: the default pool */
    enum shell_syntax syntax;
};

static const struct argp_option option_table[] = {
    {"shell", 'S', "SYNTAX", 0, "sh, fish, dotenv or github (sh)", 0},
    {"pool", 'p', "NAME", 0, "a pool's name or resource id (the default pool)", 0},
    {"state-dir", 's', "DIR", 0, "of the daemon (as its own default)", 0},
    {0},
};

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct env_options *options = state->input;
    struct error err = {0};
    switch (key) {
    case 'S':
        if (shell_syntax_find(value, &options->syntax, &err) < 0)
            argp_error(state, "--shell: %s", err.message);
        return 0;
    case 'p':
        options->pool = value;
        return 0;
    case 's':
        options->state_dir = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- where ---- */

/* "0.0.0.0:8900" is where a daemon listens, not where it is reached. */
static void write_origin(const char *scheme, const char *address, char ret_origin[ORIGIN_TEXT_MAX])
{
    static const struct {
        const char *any, *reached;
    } hosts[] = {{"0.0.0.0:", "127.0.0.1:"}, {"[::]:", "[::1]:"}};
    const char *host = "";
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (text_starts_with(address, hosts[i].any)) {
            host = hosts[i].reached;
            address += strlen(hosts[i].any);
            break;
        }
    }
    snprintf(ret_origin, ORIGIN_TEXT_MAX, "%s://%s%s", scheme, host, address);
}

static const char provider[] = "/providers/Microsoft.App";

/* A resource id names the provider, an endpoint does not. */
static char *path_of_id(const char *id)
{
    const char *found = strcasestr(id, provider);
    if (!found)
        return xstrdup(id);
    return xasprintf("%.*s%s", (int)(found - id), id, found + strlen(provider));
}

struct pool_search {
    const char *name;
    struct resource_id found;
    size_t count;
};

static void on_pool(void *self, struct pool_resource *resource, const char *file)
{
    struct pool_search *search = self;
    (void)file;
    if (text_equal_ignoring_case(resource->id.name, search->name)) {
        search->found = resource->id;
        search->count++;
    }
    pool_resource_clear(resource);
}

/* A pool that was made over ARM is in one group only. Those of the configuration are not known
 * here: they are in every group, or have an id. */
static char *path_of_name(int state_fd, const char *name, struct error *err)
{
    struct pool_search search = {.name = name};
    char path[RESOURCE_ID_TEXT_MAX];
    if (resource_store_load(state_fd, on_pool, &search, err) < 0)
        return NULL;
    if (search.count > 1) {
        error_set(err, ERROR_INVALID, "--pool: %zu pools are named \"%s\"; give a resource id",
                  search.count, name);
        return NULL;
    }
    if (search.count == 0)
        return xasprintf("/subscriptions/" RESOURCE_LOCAL "/resourceGroups/" RESOURCE_LOCAL
                         "/sessionPools/%s",
                         name);
    resource_id_write_path(&search.found, path);
    return xstrdup(path);
}

/* NULL on failure. */
static char *find_path(int state_fd, const char *pool, const struct daemon_file *daemon,
                       struct error *err)
{
    if (!pool)
        return xstrdup(daemon->pool);
    return *pool == '/' ? path_of_id(pool) : path_of_name(state_fd, pool, err);
}

/* ---- what ---- */

struct env {
    enum shell_syntax syntax;
    struct buf text;
    struct error *err;
    bool failed;
};

static void put(struct env *env, const char *name, const char *value)
{
    if (!env->failed)
        env->failed = shell_syntax_write(env->syntax, name, value, &env->text, env->err) < 0;
}

/* Names that programs give the endpoint: samples of the service, and Semantic Kernel. */
static void put_endpoint(struct env *env, const char *origin, const char *path)
{
    static const char *const names[] = {"POOL_MANAGEMENT_ENDPOINT",
                                        "AZURE_POOL_MANAGEMENT_ENDPOINT",
                                        "ACA_POOL_MANAGEMENT_ENDPOINT"};
    AUTO_FREE char *endpoint = xasprintf("%s%s", origin, path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put(env, names[i], endpoint);
}

static void put_certificates(struct env *env, const char *directory)
{
    AUTO_FREE char *authority = xasprintf("%s/%s", directory, AUTHORITY_CERTIFICATE_FILE);
    AUTO_FREE char *bundle = xasprintf("%s/%s", directory, BUNDLE_FILE);
    put(env, "NODE_EXTRA_CA_CERTS", authority); /* beside Node's own */
    put(env, "REQUESTS_CA_BUNDLE", bundle);     /* instead of Python's own */
    put(env, "SSL_CERT_FILE", bundle);          /* instead of OpenSSL's own */
    put(env, "CURL_CA_BUNDLE", bundle);         /* instead of curl's own */
}

/* A pool of a resource id has its key under that, any other under its name. */
static const char *find_mcp_key(const struct mcp_keys *keys, const char *path)
{
    static const char pools[] = "/sessionPools/";
    const char *found = strcasestr(path, pools);
    if (!found)
        return NULL;
    AUTO_FREE char *id = xasprintf("%.*s%s%s", (int)(found - path), path, provider, found);
    const char *key = mcp_keys_find(keys, id);
    return key ? key : mcp_keys_find(keys, found + sizeof pools - 1);
}

/* Where the pool is a tool server: what a host of the Model Context Protocol is configured with. */
static int put_mcp(struct env *env, int state_fd, const char *origin, const char *path)
{
    struct mcp_keys keys = {.directory_fd = state_fd};
    int result = mcp_keys_load(&keys, env->err);
    const char *key = find_mcp_key(&keys, path);
    if (key) {
        AUTO_FREE char *endpoint = xasprintf("%s%s/mcp", origin, path);
        put(env, "MCP_ENDPOINT", endpoint);
        put(env, "MCP_API_KEY", key);
    }
    mcp_keys_clear(&keys);
    return result;
}

static int write_env(const struct admin_state *state, const struct env_options *options,
                     struct env *env)
{
    struct daemon_file daemon;
    char header[SECRET_TEXT_MAX], http[ORIGIN_TEXT_MAX], https[ORIGIN_TEXT_MAX];
    if (daemon_file_read(state->fd, &daemon, env->err) < 0 ||
        secret_open(state->fd, IDENTITY_HEADER_FILE, false, header, env->err) < 0)
        return -1;
    bool secure = *daemon.https;
    if (secure && bundle_refresh(state->fd, system_bundle, env->err) < 0)
        return -1;
    write_origin("http", daemon.http, http);
    write_origin("https", daemon.https, https);
    AUTO_FREE char *path = find_path(state->fd, options->pool, &daemon, env->err);
    if (!path)
        return -1;
    AUTO_FREE char *identity = xasprintf("%s/msi/token", http);

    /* Semantic Kernel and Azure's own libraries refuse a token over plain HTTP. */
    put_endpoint(env, secure ? https : http, path);
    put(env, "IDENTITY_ENDPOINT", identity);
    put(env, "IDENTITY_HEADER", header);
    if (secure) {
        put(env, "AZURE_AUTHORITY_HOST", https);
        put(env, "AZURE_RESOURCE_MANAGER_URL", https); /* as tests of Azure's libraries call it */
        put_certificates(env, state->path);
    }
    if (put_mcp(env, state->fd, secure ? https : http, path) < 0)
        return -1;
    return env->failed ? -1 : 0;
}

int env_run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table,
        on_option,
        NULL,
        "Prints the environment variables with which programs written for Azure meet this daemon."
        "\vIn a shell: eval \"$(sandboxd env)\". In a workflow: sandboxd env --shell "
        "github "
        ">> \"$GITHUB_ENV\".",
        NULL,
        NULL,
        NULL};
    struct env_options options = {.state_dir = state_path_default(), .syntax = SHELL_SH};
    AUTO_ADMIN_STATE struct admin_state state = {.fd = -1};
    struct error err = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    struct env env = {.syntax = options.syntax, .text.limit = ENV_BYTES_MAX, .err = &err};
    int result = admin_open_state(options.state_dir, &state, &err);
    if (result == 0)
        result = write_env(&state, &options, &env);
    if (result == 0)
        fputs(env.text.data, stdout);
    buf_free(&env.text);
    return result == 0 ? EXIT_SUCCESS : admin_fail(&state, &err);
}
