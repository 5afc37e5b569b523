#include "agent/turn/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/turn/inventory.h"
#include "base/core/random.h"
#include "base/core/text.h"

enum {
    MARKER_TIMEOUT_S = 60,
    DOUBT_AFTER_MS = 120 * 1000, /* well below the shortest cooldown of a pool, 300 s */
    FULL_PAUSE_MS = 2000,        /* where a full pool does not say when to ask again */
    FULL_PAUSE_MAX_MS = 30 * 1000,
};

/* A file of this machine that the session has. */
struct upload {
    char *path;
    char *name;
    bool is_there;
};

struct session {
    struct loop *loop;
    struct pool_client *pool;
    char *identifier;
    int64_t full_wait_ms;

    struct upload *uploads;
    size_t upload_count;

    char marker[GUID_TEXT_MAX];    /* in the interpreter; "": not known yet */
    char candidate[GUID_TEXT_MAX]; /* what the next marker would be */
    bool exists;
    bool is_touched;
    bool is_doubtful;
    int64_t last_answer_ms;

    /* the call under way */
    int (*start)(struct session *session, const struct pool_handler *handler, struct error *err);
    void (*next)(struct session *session, struct pool_result *result);
    struct session_handler handler;
    struct session_call call;
    struct pool_call *pool_call;
    struct pool_call *cancel_call;
    struct timer timer;
    struct error start_error;
    bool is_cancelled;
    int64_t waited_ms;
    enum session_change change;
    size_t upload_at;
    int fd;
    struct wire_execution_request request;
    char operation[GUID_TEXT_MAX];
};

struct session *session_create(struct loop *loop, struct pool_client *pool, const char *identifier,
                               int64_t full_wait_ms)
{
    struct session *session = xcalloc(1, sizeof *session);
    session->loop = loop;
    session->pool = pool;
    session->identifier = xstrdup(identifier);
    session->full_wait_ms = full_wait_ms;
    session->fd = -1;
    session->is_doubtful = true;
    return session;
}

void session_destroy(struct session *session)
{
    if (!session)
        return;
    loop_stop_timer(session->loop, &session->timer);
    for (size_t i = 0; i < session->upload_count; i++) {
        free(session->uploads[i].path);
        free(session->uploads[i].name);
    }
    free(session->uploads);
    wire_execution_request_clear(&session->request);
    close_fd(&session->fd);
    free(session->identifier);
    free(session);
}

const char *session_identifier(const struct session *session)
{
    return session->identifier;
}

bool session_exists(const struct session *session)
{
    return session->exists;
}

void session_add_file(struct session *session, const char *path, const char *name)
{
    session->uploads =
        xrealloc(session->uploads, (session->upload_count + 1) * sizeof *session->uploads);
    session->uploads[session->upload_count++] =
        (struct upload){.path = xstrdup(path), .name = xstrdup(name)};
    session->is_doubtful = true; /* prepared again, the file is sent */
}

bool session_is_touched(const struct session *session)
{
    return session->is_touched;
}

bool session_has_file(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->upload_count; i++) {
        if (strcmp(session->uploads[i].name, name) == 0)
            return true;
    }
    return false;
}

bool session_is_doubtful(const struct session *session)
{
    return session->is_doubtful ||
           loop_now_ms(session->loop) - session->last_answer_ms >= DOUBT_AFTER_MS;
}

void session_doubt(struct session *session)
{
    session->is_doubtful = true;
}

/* ---- one call ---- */

static void notice(struct session *session, const char *text)
{
    if (session->handler.on_notice)
        session->handler.on_notice(session->handler.self, text);
}

static void finish(struct session *session, struct pool_result *result)
{
    struct session_call call = session->call;
    session->start = NULL;
    session->next = NULL;
    close_fd(&session->fd);
    wire_execution_request_clear(&session->request);
    call.on_done(call.self, session->change, result);
}

static void begin(struct session *session);

static void on_time(void *self)
{
    begin(self);
}

/* A failure before anything was sent ends the call from the loop as well. */
static void on_start_failed(void *self)
{
    struct session *session = self;
    struct pool_result result = {.retry_after_s = -1};
    result.failure = session->start_error;
    finish(session, &result);
    pool_result_clear(&result);
}

/* True: the call is made again, later. */
static bool waits_for_room(struct session *session, const struct pool_result *result)
{
    if (result->status != 429)
        return false;
    int64_t pause_ms = result->retry_after_s >= 0 ? result->retry_after_s * 1000 : FULL_PAUSE_MS;
    pause_ms = pause_ms > FULL_PAUSE_MAX_MS ? FULL_PAUSE_MAX_MS : pause_ms;
    pause_ms = pause_ms < FULL_PAUSE_MS / 4 ? FULL_PAUSE_MS / 4 : pause_ms;
    if (session->waited_ms + pause_ms > session->full_wait_ms)
        return false;
    session->waited_ms += pause_ms;
    char text[128];
    snprintf(text, sizeof text, "the pool is full; asking again in %.1f s",
             (double)pause_ms / 1000);
    notice(session, text);
    loop_start_timer(session->loop, &session->timer, loop_now_ms(session->loop) + pause_ms, on_time,
                     session);
    return true;
}

static void on_answer(void *self, struct pool_result *result)
{
    struct session *session = self;
    session->pool_call = NULL;
    if (session->cancel_call) {
        /* The answer came first. */
        struct pool_call *cancel_call = session->cancel_call;
        session->cancel_call = NULL;
        pool_call_cancel(cancel_call);
    }
    if (!session->is_cancelled && !result->succeeded &&
        (pool_client_try_older(session->pool, result) ? (begin(session), true)
                                                      : waits_for_room(session, result)))
        return;
    if (result->succeeded) {
        session->exists = true;
        session->last_answer_ms = loop_now_ms(session->loop);
    }
    session->next(session, result);
}

static void begin(struct session *session)
{
    struct pool_handler handler = {.self = session, .on_done = on_answer};
    struct error *err = &session->start_error;
    int started = session->is_cancelled ? error_set(err, ERROR_CONFLICT, "cancelled")
                                        : session->start(session, &handler, err);
    if (started < 0)
        loop_start_timer(session->loop, &session->timer, loop_now_ms(session->loop),
                         on_start_failed, session);
}

static void begin_with(struct session *session,
                       int (*start)(struct session *, const struct pool_handler *, struct error *),
                       void (*next)(struct session *, struct pool_result *))
{
    session->start = start;
    session->next = next;
    begin(session);
}

static void take(struct session *session, const struct session_handler *handler,
                 const struct session_call *call)
{
    session->is_touched = true;
    session->handler = handler ? *handler : (struct session_handler){0};
    session->call = *call;
    session->is_cancelled = false;
    session->waited_ms = 0;
    session->change = SESSION_AS_IT_WAS;
    session->upload_at = 0;
    session->operation[0] = '\0';
}

static int start_request(struct session *session, const struct pool_handler *handler,
                         struct error *err)
{
    return pool_client_execute_as(session->pool, session->identifier, &session->request,
                                  session->operation[0] ? session->operation : NULL, handler,
                                  &session->pool_call, err);
}

static void set_request(struct session *session, const char *code, int64_t timeout_s)
{
    wire_execution_request_clear(&session->request);
    session->request = (struct wire_execution_request){.code = xstrdup(code),
                                                       .code_length = strlen(code),
                                                       .execution_type = xstrdup("Synchronous"),
                                                       .timeout_s = timeout_s,
                                                       .output_streams_max_length = -1};
}

static int start_list(struct session *session, const struct pool_handler *handler,
                      struct error *err)
{
    return pool_client_list(session->pool, session->identifier, NULL,
                            pool_client_lists_recursively(session->pool), handler,
                            &session->pool_call, err);
}

/* ---- preparing ---- */

/* The interpreter answers with the marker that it has, and takes ours where it has none. */
static void set_marker_request(struct session *session)
{
    random_guid(session->candidate);
    AUTO_FREE char *code =
        xasprintf("print(globals().setdefault('_sandpool_marker', '%s'))", session->candidate);
    set_request(session, code, MARKER_TIMEOUT_S);
}

static enum session_change compare_markers(struct session *session,
                                           const struct wire_execution *execution)
{
    bool was_known = session->marker[0] != '\0';
    bool is_the_same =
        was_known && execution->standard_output_length >= strlen(session->marker) &&
        memcmp(execution->standard_output, session->marker, strlen(session->marker)) == 0;
    if (is_the_same)
        return SESSION_AS_IT_WAS;
    /* Whose marker it is does not matter: it is the one of the variables that are there now. */
    size_t length = execution->standard_output_length;
    if (length >= GUID_TEXT_MAX)
        length = GUID_TEXT_MAX - 1;
    memset(session->marker, 0, sizeof session->marker);
    memcpy(session->marker, length > 0 ? execution->standard_output : "", length);
    return was_known ? SESSION_LOST : SESSION_NEW;
}

static bool has_file(const struct inventory *inventory, const char *name)
{
    return inventory_find(inventory, name) != NULL;
}

/* Opens the next file that is to be sent; false when there is none. One that this machine does not
 * have any more is said to be missing, and is no reason to stop. */
static bool open_upload(struct session *session)
{
    close_fd(&session->fd);
    for (; session->upload_at < session->upload_count; session->upload_at++) {
        struct upload *upload = &session->uploads[session->upload_at];
        if (upload->is_there)
            continue;
        session->fd = open(upload->path, O_RDONLY | O_CLOEXEC);
        if (session->fd >= 0)
            return true;
        AUTO_FREE char *text =
            xasprintf("%s cannot be sent again: %s", upload->path, strerror(errno));
        notice(session, text);
    }
    return false;
}

static int start_upload(struct session *session, const struct pool_handler *handler,
                        struct error *err)
{
    const char *name = session->uploads[session->upload_at].name;
    const char *slash = strrchr(name, '/');
    AUTO_FREE char *directory = slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
    return pool_client_upload(session->pool, session->identifier, directory,
                              slash ? slash + 1 : name, session->fd, handler, &session->pool_call,
                              err);
}

static void on_uploaded(struct session *session, struct pool_result *result);

/* The listing that ends the preparation. */
static void on_prepared(struct session *session, struct pool_result *result)
{
    session->is_doubtful = !result->succeeded;
    finish(session, result);
}

static void send_next(struct session *session)
{
    if (open_upload(session)) {
        AUTO_FREE char *text = xasprintf("sending %s", session->uploads[session->upload_at].name);
        notice(session, text);
        begin_with(session, start_upload, on_uploaded);
    } else {
        begin_with(session, start_list, on_prepared);
    }
}

static void on_uploaded(struct session *session, struct pool_result *result)
{
    struct upload *upload = &session->uploads[session->upload_at];
    if (!result->succeeded) {
        error_add_context(&result->failure, "send %.200s", upload->name);
        finish(session, result);
        return;
    }
    upload->is_there = true;
    session->upload_at++;
    send_next(session);
}

/* After a loss: the interpreter alone may have died, and then the files are still there. */
static void on_lost_listed(struct session *session, struct pool_result *result)
{
    if (!result->succeeded) {
        finish(session, result);
        return;
    }
    AUTO_INVENTORY struct inventory inventory = {0};
    inventory_read(&inventory, &result->files);
    for (size_t i = 0; i < session->upload_count; i++)
        session->uploads[i].is_there =
            session->uploads[i].is_there && has_file(&inventory, session->uploads[i].name);
    send_next(session);
}

static void on_marker(struct session *session, struct pool_result *result)
{
    if (!result->succeeded) {
        finish(session, result);
        return;
    }
    session->change = compare_markers(session, &result->execution);
    if (session->change == SESSION_LOST)
        begin_with(session, start_list, on_lost_listed);
    else
        send_next(session);
}

void session_prepare(struct session *session, const struct session_handler *handler,
                     const struct session_call *call)
{
    take(session, handler, call);
    set_marker_request(session);
    begin_with(session, start_request, on_marker);
}

/* ---- running and listing ---- */

void session_execute(struct session *session, const char *code, int64_t timeout_s,
                     const struct session_handler *handler, const struct session_call *call)
{
    take(session, handler, call);
    set_request(session, code, timeout_s);
    random_guid(session->operation);
    begin_with(session, start_request, finish);
}

void session_list(struct session *session, const struct session_call *call)
{
    take(session, NULL, call);
    begin_with(session, start_list, finish);
}

/* ---- the end ---- */

static void on_cancelled(void *self, struct pool_result *result)
{
    struct session *session = self;
    if (!session->cancel_call) /* its answer is not waited for any more */
        return;
    session->cancel_call = NULL;
    if (result->succeeded || !session->pool_call)
        return; /* the execution's own answer is on its way */
    notice(session, "this pool cannot cancel: the program goes on in the session until it ends or "
                    "its time is over");
    pool_call_cancel(session->pool_call);
}

void session_cancel(struct session *session)
{
    session->is_cancelled = true;
    if (session->timer.active) { /* waiting for room */
        loop_stop_timer(session->loop, &session->timer);
        begin(session);
        return;
    }
    if (!session->pool_call || session->cancel_call)
        return;
    struct pool_handler handler = {.self = session, .on_done = on_cancelled};
    bool runs = session->operation[0] != '\0';
    if (!runs || pool_client_cancel(session->pool, session->identifier, session->operation,
                                    &handler, &session->cancel_call, NULL) < 0)
        pool_call_cancel(session->pool_call);
}
