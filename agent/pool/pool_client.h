/* pool_client: the one client for session pools, whether sandboxd or Azure serves them.
 *
 * Asynchronous on the loop: each function starts a call, and on_done ends it. Both generations of
 * the API are spoken; the api-version picks one. What a service answers is bounded and not trusted.
 */
#pragma once

#include "agent/credential/credential.h"
#include "agent/pool/pool_url.h"
#include "base/core/loop.h"
#include "base/http/http_client.h"

struct pool_client;
struct pool_call; /* under way */
struct pool_result;

struct pool_client_options {
    const char *endpoint;         /* the pool management endpoint; copied */
    const char *api_version;      /* NULL: POOL_VERSION_DEFAULT; copied */
    bool allow_insecure;          /* plain http to another machine */
    struct credential credential; /* zeroed: credential_from_environment */
};

/* http and what the credential points at are borrowed. A token that the pool refuses (401) is asked
 * for anew, once a call.
 * ERROR_INVALID, ERROR_DENIED: an option cannot be used. */
int pool_client_create(struct http_client *http, const struct pool_client_options *options,
                       struct pool_client **ret_client, struct error *err);
/* The result says that the service does not know the api-version: from now on an older one is
 * spoken, and the call should be made again. False: that is not why, no older one is left, or the
 * options named the version. */
bool pool_client_try_older(struct pool_client *client, const struct pool_result *result);
/* Whether pool_client_list can be recursive in the version spoken. */
bool pool_client_lists_recursively(const struct pool_client *client);
/* Every call must have ended. */
void pool_client_destroy(struct pool_client *client);

/* How a call ended. */
struct pool_result {
    bool succeeded; /* false: see `failure` */

    struct error failure; /* one sentence for a person; the service's words in it are not escaped */
    unsigned status;      /* the HTTP status; 0: no answer */
    bool refused;         /* the service answered, with an error (or a redirect) */
    struct wire_error service; /* its code and message; both NULL where it gave none */
    int64_t retry_after_s;     /* -1: it did not say */

    struct wire_execution execution; /* pool_client_execute */
    struct wire_file_list files;     /* pool_client_list */
    struct wire_file file;           /* pool_client_upload */
    uint64_t downloaded_bytes;       /* pool_client_download */
    struct buf answer;               /* the JSON answer as it came */
};
void pool_result_clear(struct pool_result *result);

struct pool_handler {
    void *self;
    /* The call has ended. The handler may take things out of the result (and zero them there); the
     * rest is freed afterwards. Never called from inside the function that starts the call. */
    void (*on_done)(void *self, struct pool_result *result);
};

/* Where a download goes. on_data gets a piece of the file, not kept; -1 with *err set ends the
 * call. */
struct pool_sink {
    void *self;
    int (*on_data)(void *self, const char *data, size_t length, struct error *err);
};

/* Each returns 0 with the call started, or -1 with *err set: then on_done is not called. Texts are
 * borrowed for the duration of the function. Paths are relative to the data directory,
 * "/mnt/data/..." works too. */

/* Runs a program. Waits as long as request->timeout_s (or the service's most) and a margin for
 * allocation. */
int pool_client_execute(struct pool_client *client, const char *identifier,
                        const struct wire_execution_request *request,
                        const struct pool_handler *handler, struct pool_call **ret_call,
                        struct error *err);
/* The same under an id of the caller's (a GUID), by which it can be cancelled; NULL: none. */
int pool_client_execute_as(struct pool_client *client, const char *identifier,
                           const struct wire_execution_request *request, const char *operation_id,
                           const struct pool_handler *handler, struct pool_call **ret_call,
                           struct error *err);
/* Asks the pool to end that execution, whose own call then ends. Only sandboxd can. */
int pool_client_cancel(struct pool_client *client, const char *identifier, const char *operation_id,
                       const struct pool_handler *handler, struct pool_call **ret_call,
                       struct error *err);
/* directory: NULL or "" for the data directory itself. */
int pool_client_list(struct pool_client *client, const char *identifier, const char *directory,
                     bool recursive, const struct pool_handler *handler,
                     struct pool_call **ret_call, struct error *err);
/* Sends a regular file from its start. fd is borrowed until on_done. */
int pool_client_upload(struct pool_client *client, const char *identifier, const char *directory,
                       const char *name, int fd, const struct pool_handler *handler,
                       struct pool_call **ret_call, struct error *err);
int pool_client_download(struct pool_client *client, const char *identifier, const char *path,
                         const struct pool_sink *sink, const struct pool_handler *handler,
                         struct pool_call **ret_call, struct error *err);
int pool_client_remove_file(struct pool_client *client, const char *identifier, const char *path,
                            const struct pool_handler *handler, struct pool_call **ret_call,
                            struct error *err);
int pool_client_delete_session(struct pool_client *client, const char *identifier,
                               const struct pool_handler *handler, struct pool_call **ret_call,
                               struct error *err);

/* Ends the call now: on_done is called with the failure "cancelled". What the service has begun
 * goes on there. Not from inside on_data: return -1 there. */
void pool_call_cancel(struct pool_call *call);
