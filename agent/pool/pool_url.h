/* pool_url: from a pool management endpoint to the URL of one operation, in either generation of
 * the API (docs/api.md, "URLs and versions"). No system calls.
 */
#pragma once

#include <stdbool.h>

#include "base/core/buf.h"
#include "base/core/error.h"
#include "base/json/wire.h"

/* What people name in --endpoint or the environment. Free with pool_endpoint_clear. */
struct pool_endpoint {
    char *base;       /* without a trailing slash or query */
    char *query;      /* what followed "?", or NULL */
    bool is_loopback; /* the pool is on this machine */
};
/* ERROR_INVALID: not an http or https URL, or with a password or fragment. ERROR_DENIED: plain http
 * to another machine without allow_insecure: the token would be readable on the way. */
int pool_endpoint_read(const char *text, bool allow_insecure, struct pool_endpoint *ret_endpoint,
                       struct error *err);
void pool_endpoint_clear(struct pool_endpoint *endpoint);

enum { POOL_VERSION_BYTES_MAX = 24 };
#define POOL_VERSION_DEFAULT "2025-10-02-preview"
struct pool_version {
    char text[POOL_VERSION_BYTES_MAX];
    enum wire_generation generation;
};
/* ERROR_INVALID: not of the form YYYY-MM-DD or YYYY-MM-DD-preview, or older than generation 1. */
int pool_version_read(const char *text, struct pool_version *ret_version, struct error *err);

/* The newest version older than this one that a service is known to speak; false: there is none. */
bool pool_version_step_down(struct pool_version *version);

enum pool_operation {
    POOL_EXECUTE,
    POOL_LIST,
    POOL_UPLOAD,
    POOL_DOWNLOAD,
    POOL_REMOVE,
    POOL_DELETE_SESSION,
    POOL_CANCEL, /* an extension of sandboxd's; path is the execution's id */
};

/* What the operation is about. */
struct pool_target {
    const char *identifier;
    const char *path; /* of a file (download, remove) or directory (list, upload) as
                         pool_path_clean returned it; NULL or "": the data directory */
    bool recursive;   /* list */
};

/* Appends the URL to out. ERROR_INVALID: the version has no such operation, or the identifier is
 * not one. */
int pool_url_build(const struct pool_endpoint *endpoint, const struct pool_version *version,
                   enum pool_operation operation, const struct pool_target *target, struct buf *out,
                   struct error *err);
/* "POST", "GET" or "DELETE". */
const char *pool_url_method(enum pool_operation operation);

/* The path below the data directory without a leading "/mnt/data/" or "/", a trailing "/" or empty
 * parts. ERROR_INVALID: a part is "." or ".." (libraries on the way would fold them), or it is too
 * long or not UTF-8. returned; "" stands for the data directory itself */
int pool_path_clean(const char *path, char **ret_path, struct error *err);
