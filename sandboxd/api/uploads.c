#include "sandboxd/api/uploads.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/core/cleanup.h"
#include "base/http/multipart.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/file_path.h"
#include "sandboxd/api/file_view.h"
#include "sandboxd/api/front.h"
#include "sandboxd/link/session_link.h"

/* What a body may hold besides the file: boundaries, part headers, other small parts (our limit).
 */
enum { UPLOAD_FRAMING_BYTES_MAX = 1024 * 1024 };

struct upload {
    struct exchange
        *exchange; /* NULL: it is over, but the upload still waits in the session's queue */
    struct session *session; /* held; NULL while it waits for its turn */
    struct work work;
    struct shell_request request;
    struct multipart *multipart;
    struct file_path path;
    struct file_view view; /* the entry that the commit reports */
    int fd;
    bool has_file; /* the part "file" has been there */
    bool in_file;  /* its bytes are arriving */
    uint64_t size;
    /* what a part's callback found wrong; told when the parser has returned */
    enum service_code problem;
    const char *target;
};

static void upload_destroy(struct upload *upload)
{
    shell_cancel(&upload->request);
    multipart_destroy(upload->multipart);
    file_view_clear(&upload->view);
    close_fd(&upload->fd);
    if (upload->session)
        session_release(upload->session);
    free(upload);
}

/* ---- the parts of the body ---- */

static int refuse(struct upload *upload, enum service_code code, const char *target)
{
    upload->problem = code;
    upload->target = target;
    return -1;
}

static int on_part(void *self, const struct multipart_part *part, struct error *err)
{
    struct upload *upload = self;
    if (strcmp(part->name, "file") != 0)
        return 0;
    refuse(upload, SERVICE_VALIDATION_FAILED, "file");
    if (upload->has_file)
        return error_set(err, ERROR_INVALID, "there is more than one part named \"file\"");
    if (!part->filename || !*part->filename)
        return error_set(err, ERROR_INVALID, "the part \"file\" has no filename");
    refuse(upload, SERVICE_VALIDATION_FAILED, "filename");
    const char *directory = http_target_parameter(&upload->exchange->target, "path");
    if (file_path_read(directory, part->filename, &upload->path, err) < 0)
        return -1;
    upload->has_file = true;
    upload->in_file = true;
    return 0;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    struct upload *upload = self;
    if (!upload->in_file)
        return 0;
    upload->size += length;
    if (upload->size > UPLOAD_BYTES_MAX) {
        error_set(err, ERROR_LIMIT, "a file may have at most %d bytes", UPLOAD_BYTES_MAX);
        return refuse(upload, SERVICE_REQUEST_TOO_LARGE, "file");
    }
    if (write_all(upload->fd, data, length) < 0) {
        error_from_errno(err, "the file does not fit into the session's data directory");
        return refuse(upload, problem_of_errno(errno), NULL);
    }
    return 0;
}

static int on_part_end(void *self, struct error *err)
{
    (void)err;
    struct upload *upload = self;
    upload->in_file = false;
    return 0;
}

/* ---- what the session's helper answers ---- */

static void fail_errno(struct upload *upload, int error_number)
{
    exchange_fail(upload->exchange, problem_of_errno(error_number), "filename", "%s: %s",
                  *upload->path.text ? upload->path.text : "the upload",
                  problem_explain_errno(error_number));
}

static void on_created(void *self, int error_number, int fd)
{
    struct upload *upload = self;
    upload->fd = fd;
    if (error_number != 0 || fd < 0)
        fail_errno(upload, error_number ? error_number : EIO);
    else
        http_request_continue(upload->exchange->request);
}

static void on_entry(void *self, const struct file_entry_message *entry)
{
    struct upload *upload = self;
    file_view_add(&upload->view, entry);
}

static void respond(struct upload *upload)
{
    struct error err = {0};
    struct exchange *exchange = upload->exchange;
    struct wire_options options = {
        .with_ids = exchange->front->api.with_ids,
        .with_directory = exchange->version >= API_2025_10_02,
    };
    struct wire_file_list list = {0};
    AUTO_BUF struct buf body = {0};
    const char *path = upload->view.entries[0].path;
    const char *name = file_path_base_name(path);
    AUTO_FREE char *directory = xstrndup(path, name > path ? (size_t)(name - path) - 1 : 0);
    file_view_describe_one(&upload->view.entries[0], directory, exchange->generation,
                           wire_file_list_add(&list));
    int written = wire_write_file(exchange->generation, &options, list.files, &body, &err);
    wire_file_list_clear(&list);
    exchange_respond_written(exchange, written, &body, &err);
}

static void on_committed(void *self, int error_number, int fd)
{
    struct upload *upload = self;
    close_fd(&fd);
    if (error_number != 0 || upload->view.count == 0)
        fail_errno(upload, error_number ? error_number : EIO);
    else
        respond(upload);
}

/* ---- the body as it comes; each of these may end the upload ---- */

static void fail_body(struct upload *upload, const struct error *err)
{
    bool ours = upload->problem != SERVICE_CODE_END;
    exchange_fail(upload->exchange, ours ? upload->problem : SERVICE_VALIDATION_FAILED,
                  ours ? upload->target : "body", "%s", err->message);
}

static void on_sink_data(void *self, const char *data, size_t length)
{
    struct upload *upload = self;
    struct error err = {0};
    upload->problem = SERVICE_CODE_END;
    if (multipart_feed(upload->multipart, data, length, &err) < 0)
        fail_body(upload, &err);
}

static void on_sink_end(void *self)
{
    struct upload *upload = self;
    struct error err = {0};
    upload->problem = SERVICE_CODE_END;
    int finished = multipart_finish(upload->multipart, &err);
    if (finished == 0 && !upload->has_file)
        finished = error_set(&err, ERROR_INVALID,
                             "there is no part named \"file\" with a filename in the body");
    if (finished < 0) {
        fail_body(upload, &err);
        return;
    }
    if (session_has_ended(upload->session)) {
        exchange_fail(upload->exchange, SERVICE_UNAVAILABLE, NULL,
                      "the session has ended; send the file again");
        return;
    }
    upload->request =
        (struct shell_request){.on_entry = on_entry, .on_done = on_committed, .self = upload};
    shell_send(&session_link_of(upload->session)->shell, &upload->request, FILE_COMMIT, false,
               upload->path.text, TAKE_FD(upload->fd));
}

static void on_sink_gone(void *self)
{
    struct upload *upload = self;
    upload->exchange = NULL;
    if (upload->session)
        upload_destroy(upload);
}

/* ---- its turn in the session ---- */

static void on_turn(void *self, struct session *session)
{
    struct upload *upload = self;
    upload->session = session;
    if (!upload->exchange) {
        upload_destroy(upload);
        return;
    }
    upload->request = (struct shell_request){.on_done = on_created, .self = upload};
    shell_send(&session_link_of(session)->shell, &upload->request, FILE_CREATE, false, "", -1);
}

static void on_lost(void *self, const struct error *err)
{
    struct upload *upload = self;
    if (upload->exchange)
        exchange_fail(upload->exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
    upload_destroy(upload);
}

static bool length_may_fit(struct exchange *exchange)
{
    int64_t length = http_request_content_length(exchange->request);
    if (length <= (int64_t)UPLOAD_BYTES_MAX + UPLOAD_FRAMING_BYTES_MAX)
        return true;
    exchange_fail(exchange, SERVICE_REQUEST_TOO_LARGE, "file",
                  "the body has %" PRId64 " bytes; a file may have at most %d", length,
                  UPLOAD_BYTES_MAX);
    return false;
}

void upload_create(struct exchange *exchange)
{
    struct error err = {0};
    bool is_new;
    struct session *session = NULL;
    struct upload *upload = xcalloc(1, sizeof *upload);
    upload->fd = -1;
    struct multipart_handler handler = {
        .self = upload,
        .on_part = on_part,
        .on_data = on_data,
        .on_part_end = on_part_end,
    };
    const char *content_type = http_request_header(exchange->request, "Content-Type");
    if (!length_may_fit(exchange)) {
        session = NULL;
    } else if (multipart_create(content_type, &handler, &upload->multipart, &err) < 0) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "Content-Type", "%s", err.message);
    } else {
        session = exchange_obtain_session(exchange, exchange->identifier, &is_new);
    }
    if (!session) {
        upload_destroy(upload);
        return;
    }

    upload->exchange = exchange;
    upload->work = (struct work){.on_turn = on_turn, .on_lost = on_lost, .self = upload};
    exchange->sink = (struct body_sink){
        .on_data = on_sink_data,
        .on_end = on_sink_end,
        .on_gone = on_sink_gone,
        .self = upload,
    };
    http_request_hold(exchange->request);
    session_enqueue_transfer(session, &upload->work);
}
