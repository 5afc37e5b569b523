#include "sandboxd/api/files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/file_path.h"
#include "sandboxd/api/file_view.h"
#include "sandboxd/api/front.h"
#include "sandboxd/link/session_link.h"

/* One operation on its way through a session's shell. */
struct file_call {
    struct exchange *exchange; /* pinned */
    struct session *session;   /* held from on_turn to on_done */
    struct work work;
    struct shell_request request;
    enum file_operation operation;
    bool recursive;
    struct file_path path;
    struct file_view view;
    void (*answer)(struct file_call *call, int fd); /* it worked; fd is taken */
};

static void call_destroy(struct file_call *call)
{
    if (call->session)
        session_release(call->session);
    file_view_clear(&call->view);
    exchange_unpin(call->exchange);
    free(call);
}

static void on_entry(void *self, const struct file_entry_message *entry)
{
    struct file_call *call = self;
    file_view_add(&call->view, entry);
}

static void on_done(void *self, int error_number, int fd)
{
    struct file_call *call = self;
    if (error_number != 0) {
        close_fd(&fd);
        exchange_fail(call->exchange, problem_of_errno(error_number),
                      error_number == ENAMETOOLONG ? "path" : NULL, "%s: %s",
                      *call->path.text ? call->path.text : "/mnt/data",
                      problem_explain_errno(error_number));
    } else {
        call->answer(call, fd);
    }
    call_destroy(call);
}

static void on_turn(void *self, struct session *session)
{
    struct file_call *call = self;
    call->session = session;
    call->request = (struct shell_request){.on_entry = on_entry, .on_done = on_done, .self = call};
    shell_send(&session_link_of(session)->shell, &call->request, call->operation, call->recursive,
               call->path.text, -1);
}

static void on_lost(void *self, const struct error *err)
{
    struct file_call *call = self;
    exchange_fail(call->exchange, SERVICE_UNAVAILABLE, NULL, "%s", err->message);
    call_destroy(call);
}

static void start(struct exchange *exchange, enum file_operation operation, bool recursive,
                  const struct file_path *path, void (*answer)(struct file_call *call, int fd))
{
    bool is_new;
    struct session *session = exchange_obtain_session(exchange, exchange->identifier, &is_new);
    if (!session)
        return;
    struct file_call *call = xcalloc(1, sizeof *call);
    *call = (struct file_call){
        .exchange = exchange,
        .work = {.on_turn = on_turn, .on_lost = on_lost, .self = call},
        .operation = operation,
        .recursive = recursive,
        .path = *path,
        .answer = answer,
    };
    exchange_pin(exchange);
    session_enqueue_transfer(session, &call->work);
}

static bool read_name_parameter(struct exchange *exchange, struct buf *name)
{
    const char *text = http_target_parameter(&exchange->target, "filename");
    if (text && http_target_parameter_count(&exchange->target, "filename") == 1 &&
        buf_append_text(name, text))
        return true;
    exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "filename",
                  "the query parameter filename must be given once and have at most %d bytes",
                  FILE_PATH_MAX - 1);
    return false;
}

/* The file that the URL names, by its path or before generation 1 by a parameter; false after
 * having answered. */
static bool read_named_path(struct exchange *exchange, struct file_path *ret_path)
{
    struct error err = {0};
    AUTO_BUF struct buf name = {.limit = FILE_PATH_MAX};
    const struct route_match *match = &exchange->match;
    if (match->name_count == 0 && !read_name_parameter(exchange, &name))
        return false;
    for (size_t i = 0; i < match->name_count; i++) {
        if ((i > 0 && !buf_append_text(&name, "/")) ||
            !buf_append_text(&name, exchange->target.segments[match->name_first + i])) {
            exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "filename", "the name is too long");
            return false;
        }
    }
    const char *directory = http_target_parameter(&exchange->target, "path");
    if (file_path_read(directory, name.data, ret_path, &err) < 0) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "filename", "%s", err.message);
        return false;
    }
    return true;
}

static struct wire_options options_for(const struct file_call *call)
{
    const struct exchange *exchange = call->exchange;
    return (struct wire_options){
        .with_ids = exchange->front->api.with_ids,
        .with_directory = exchange->version >= API_2025_10_02 || call->recursive,
    };
}

/* ---- list ---- */

static void answer_list(struct file_call *call, int fd)
{
    close_fd(&fd);
    if (call->view.too_large) {
        exchange_fail(call->exchange, SERVICE_NOT_SUPPORTED, "path",
                      "more than %d entries or %d bytes of names; list a directory with path=",
                      FILE_VIEW_ENTRIES_MAX, FILE_VIEW_BYTES_MAX);
        return;
    }
    struct error err = {0};
    struct wire_file_list list = {0};
    struct wire_options options = options_for(call);
    enum wire_generation generation = call->exchange->generation;
    AUTO_BUF struct buf body = {0};
    file_view_describe(&call->view, call->path.text, generation, &list);
    int written = wire_write_file_list(generation, &options, &list, &body, &err);
    wire_file_list_clear(&list);
    exchange_respond_written(call->exchange, written, &body, &err);
}

void file_list(struct exchange *exchange)
{
    struct error err = {0};
    struct file_path path;
    const char *recursive = http_target_parameter(&exchange->target, "recursive");
    bool whole_tree = exchange->generation != WIRE_GENERATION_2 ||
                      (recursive && text_equal_ignoring_case(recursive, "true"));
    if (file_path_read_directory(http_target_parameter(&exchange->target, "path"), &path, &err) <
        0) {
        exchange_fail(exchange, SERVICE_VALIDATION_FAILED, "path", "%s", err.message);
        return;
    }
    start(exchange, FILE_LIST, whole_tree, &path, answer_list);
}

/* ---- metadata ---- */

static void answer_show(struct file_call *call, int fd)
{
    close_fd(&fd);
    if (call->view.count == 0) {
        exchange_fail(call->exchange, SERVICE_FILE_NOT_FOUND, NULL,
                      "%s is neither a file nor a directory", call->path.text);
        return;
    }
    struct error err = {0};
    struct wire_options options = options_for(call);
    enum wire_generation generation = call->exchange->generation;
    struct wire_file_list list = {0};
    AUTO_BUF struct buf body = {0};
    const char *name = file_path_base_name(call->path.text);
    AUTO_FREE char *directory = xstrndup(
        call->path.text, name > call->path.text ? (size_t)(name - call->path.text) - 1 : 0);
    file_view_describe_one(&call->view.entries[0], directory, generation,
                           wire_file_list_add(&list));
    int written = wire_write_file(generation, &options, list.files, &body, &err);
    wire_file_list_clear(&list);
    exchange_respond_written(call->exchange, written, &body, &err);
}

void file_show(struct exchange *exchange)
{
    struct file_path path;
    if (read_named_path(exchange, &path))
        start(exchange, FILE_STAT, false, &path, answer_show);
}

/* ---- content ---- */

static void answer_download(struct file_call *call, int fd)
{
    struct stat st;
    struct exchange *exchange = call->exchange;
    if (fd < 0 || fstat(fd, &st) < 0) {
        close_fd(&fd);
        exchange_fail(exchange, SERVICE_INTERNAL_ERROR, NULL, "the file could not be opened");
        return;
    }
    struct http_response response = {
        .status = 200,
        .has_file = true,
        .file_fd = fd,
        .file_length = (uint64_t)st.st_size,
    };
    http_response_add(&response, "Content-Type", "application/octet-stream");
    /* A browser must save what a program wrote, never show it as a page of this daemon. */
    http_response_add(&response, "Content-Disposition", "attachment");
    exchange->held = TAKE(call->session);
    exchange_respond(exchange, &response);
}

void file_download(struct exchange *exchange)
{
    struct file_path path;
    if (read_named_path(exchange, &path))
        start(exchange, FILE_OPEN, false, &path, answer_download);
}

/* ---- delete ---- */

static void answer_delete(struct file_call *call, int fd)
{
    close_fd(&fd);
    if (call->exchange->generation == WIRE_GENERATION_2) {
        exchange_respond_empty(call->exchange, 204);
        return;
    }
    AUTO_BUF struct buf body = {0};
    buf_append_text(&body, "{\"message\": \"file deleted successfully\"}");
    exchange_respond_json(call->exchange, 200, &body);
}

void file_delete(struct exchange *exchange)
{
    struct file_path path;
    if (read_named_path(exchange, &path))
        start(exchange, FILE_REMOVE, false, &path, answer_delete);
}
